import formBody from '@fastify/formbody';
import { DomainError } from '@pademelon/domain';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { Api } from '../routes/api.ts';
import type { DeviceApproval } from './device-approval.ts';
import { decisionPage, loginPage, pageSecurityPolicy, problemPage, resultPage } from './device-pages.ts';
import { issuerPath } from './issuer-path.ts';

const Code = Type.String({ maxLength: 64 });
const Query = Type.Object({ user_code: Type.Optional(Code) });
const LoginForm = Type.Object({
  step: Type.Literal('login'),
  user_code: Code,
  username: Type.String(),
  password: Type.String(),
});
const DecisionForm = Type.Object({
  ticket: Type.String({ maxLength: 2048 }),
  decision: Type.Union([Type.Literal('approve'), Type.Literal('refuse')]),
});

const path = `${issuerPath}/device`;
const config = { untypedBody: 'application/x-www-form-urlencoded' };

/** The page on which a person lets a notebook in: plain forms, no script, no cookie. */
export async function deviceRoutes(app: Api, approval: DeviceApproval): Promise<void> {
  await app.register(formBody, { bodyLimit: 16 * 1024 });
  app.addHook('onSend', async (_request, reply) => {
    reply.headers({
      'content-security-policy': pageSecurityPolicy,
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
    });
  });
  app.setErrorHandler((error, request, reply) => {
    if (!(error instanceof DomainError) && (error as { statusCode?: number }).statusCode === undefined) {
      request.log.error({ err: error }, 'request failed');
    }
    const isTooLarge = (error as { statusCode?: number }).statusCode === 413;
    return html(reply.code(isTooLarge ? 413 : 400), problemPage('The form was not complete; go back and try again.'));
  });

  app.get(path, { schema: { hide: true, querystring: Query } }, async (request, reply) =>
    html(reply, loginPage({ userCode: request.query.user_code ?? '' })),
  );

  app.post(
    path,
    { config, schema: { hide: true, body: Type.Union([LoginForm, DecisionForm]) } },
    async (request, reply) => {
      // Browsers say so when another site sends the form; such a form cannot hold a ticket, and gets no log-in either.
      if (request.headers['sec-fetch-site'] === 'cross-site') {
        return html(reply.code(403), problemPage('This form was sent by another site.'));
      }
      const form = request.body;
      try {
        if ('ticket' in form) {
          await approval.decide(form.ticket, form.decision === 'approve');
          return html(reply, resultPage(form.decision === 'approve'));
        }
        const { user_code: userCode, username, password } = form;
        const login = await approval.logIn({ userCode, username, password, address: request.ip });
        return html(reply, decisionPage(login));
      } catch (error) {
        return sendProblem(error, request, reply);
      }
    },
  );
}

const statuses: Partial<Record<DomainError['word'], number>> = {
  invalid_input: 400,
  unauthenticated: 401,
  not_found: 404,
  overloaded: 429,
};

function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const form = request.body as { user_code?: string; username?: string };
  const status = error instanceof DomainError ? (statuses[error.word] ?? 500) : 500;
  if (status === 500) request.log.error({ err: error }, 'request failed');
  const problem = status === 500 ? 'Something went wrong on the server; try again.' : (error as DomainError).message;
  const { user_code: userCode = '', username = '' } = form;
  return html(reply.code(status), loginPage({ userCode, username, problem }));
}

function html(reply: FastifyReply, page: string): FastifyReply {
  return reply.type('text/html; charset=utf-8').send(page);
}
