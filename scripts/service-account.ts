import { createPublicKey, generateKeyPairSync, randomBytes, randomUUID, verify } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';

/** A service account's key as Google gives it out, with a token endpoint on this machine. */
export interface ServiceAccount {
  readonly type: 'service_account';
  readonly project_id: string;
  readonly private_key_id: string;
  /** PKCS #8, PEM. */
  readonly private_key: string;
  readonly client_email: string;
  readonly client_id: string;
  readonly token_uri: string;
}

export interface TokenEndpoint {
  readonly port: number;
  /** The public key (PEM) by which it knows the account. */
  trust(publicKey: string): void;
  close(): void;
}

/** Makes an account with a fresh key that the endpoint gives tokens to. */
export function createServiceAccount(project: string, endpoint: TokenEndpoint): ServiceAccount {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  endpoint.trust(publicKey);
  return {
    type: 'service_account',
    project_id: project,
    private_key_id: randomBytes(20).toString('hex'),
    private_key: privateKey,
    client_email: `pademelon@${project}.iam.gserviceaccount.com`,
    client_id: randomUUID(),
    token_uri: `http://127.0.0.1:${endpoint.port}/token`,
  };
}

/** Answers the JWT bearer grant (RFC 7523) on the loopback address, and refuses what no trusted key has signed. */
export async function startTokenEndpoint(port: number): Promise<TokenEndpoint> {
  const trusted: string[] = [];
  const server = createServer((request, response) => {
    void readForm(request).then((form) => {
      const isGranted =
        form.get('grant_type') === 'urn:ietf:params:oauth:grant-type:jwt-bearer' &&
        trusted.some((key) => isSignedBy(key, form.get('assertion') ?? ''));
      const answer = isGranted
        ? { access_token: randomBytes(24).toString('base64url'), expires_in: 3600, token_type: 'Bearer' }
        : { error: 'invalid_grant', error_description: 'The assertion is not signed by a known service account.' };
      response.writeHead(isGranted ? 200 : 400, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    });
  }).listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as { port: number }).port,
    trust: (publicKey) => void trusted.push(publicKey),
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk;
  return new URLSearchParams(text);
}

function isSignedBy(publicKey: string, assertion: string): boolean {
  const [head, claims, signature, ...more] = assertion.split('.');
  if (head === undefined || claims === undefined || signature === undefined || more.length > 0) return false;
  const signed = Buffer.from(`${head}.${claims}`);
  return verify('RSA-SHA256', signed, createPublicKey(publicKey), Buffer.from(signature, 'base64url'));
}
