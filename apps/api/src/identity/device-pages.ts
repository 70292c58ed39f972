import { createHash } from 'node:crypto';
import type { DeviceLogin } from './device-approval.ts';

const style = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0; display: grid; min-height: 100vh; place-items: center; background: Canvas; color: CanvasText; }
main { width: min(24rem, calc(100vw - 3rem)); padding: 2rem 0; }
h1 { font-size: 1.25rem; margin: 0 0 1rem; }
label { display: block; margin: 0 0 1rem; font-size: .875rem; }
input { display: block; width: 100%; box-sizing: border-box; margin-top: .25rem; padding: .5rem .625rem; font: inherit;
  border: 1px solid GrayText; border-radius: .375rem; background: Field; color: FieldText; }
button { padding: .5rem 1rem; margin-right: .5rem; font: inherit; border: 1px solid GrayText; border-radius: .375rem;
  background: ButtonFace; color: ButtonText; cursor: pointer; }
button.main { background: #2f5d3a; border-color: #2f5d3a; color: #fff; }
dl { display: grid; grid-template-columns: auto 1fr; gap: .25rem 1rem; margin: 0 0 1.5rem; }
dt { color: GrayText; } dd { margin: 0; overflow-wrap: anywhere; }
.code { font: 600 1.5rem ui-monospace, monospace; letter-spacing: .1em; }
.problem { border-left: .25rem solid #b3261e; padding-left: .75rem; }
`;

/** Nothing but these pages' own form and style: no script at all, no framing, no other origin. */
export const pageSecurityPolicy = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ');

export function loginPage(input: { userCode: string; username?: string; problem?: string }): string {
  const { userCode, username = '', problem } = input;
  return page(
    'Log in a notebook',
    `${problem === undefined ? '' : `<p class="problem" role="alert">${escapeHtml(problem)}</p>`}
<p>Enter the code that the notebook or program shows, and log in.</p>
<form method="post" action="device">
<label>Code <input name="user_code" value="${escapeHtml(userCode)}" required autocomplete="off" autocapitalize="characters"${
      userCode === '' ? ' autofocus' : ''
    }></label>
<label>E-mail <input name="username" type="email" value="${escapeHtml(username)}" required autocomplete="username"></label>
<label>Password <input name="password" type="password" required autocomplete="current-password"></label>
<button class="main" name="step" value="login">Log in</button>
</form>`,
  );
}

export function decisionPage({ user, device, userCode, ticket }: DeviceLogin): string {
  const { address, userAgent } = device.deviceInfo;
  const requestedAt = new Date(device.requestedAtSeconds * 1000).toISOString().replace('T', ' ').slice(0, 19);
  const readableCode = `${userCode.slice(0, 4)}-${userCode.slice(4)}`;
  return page(
    'Let this program in?',
    `<p>A program asks to act as <strong>${escapeHtml(user.email)}</strong>. Approve only if it shows this code:</p>
<p class="code">${escapeHtml(readableCode)}</p>
<dl><dt>Program</dt><dd>${escapeHtml(String(userAgent || 'unknown'))}</dd>
<dt>From</dt><dd>${escapeHtml(String(address || 'unknown'))}</dd>
<dt>Asked at</dt><dd>${requestedAt} UTC</dd></dl>
<form method="post" action="device">
<input type="hidden" name="ticket" value="${escapeHtml(ticket)}">
<button class="main" name="decision" value="approve">Approve</button>
<button name="decision" value="refuse">Refuse</button>
</form>`,
  );
}

export function resultPage(isApproved: boolean): string {
  return isApproved
    ? page('Approved', '<p>The notebook continues in a moment. You can close this page.</p>')
    : page('Refused', '<p>Nobody was logged in. You can close this page.</p>');
}

export function problemPage(problem: string): string {
  return page('Log in a notebook', `<p class="problem" role="alert">${escapeHtml(problem)}</p>`);
}

function page(title: string, content: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${title} – Pademelon</title><style>${style}</style></head>
<body><main><h1>${title}</h1>
${content}
</main></body></html>
`;
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] as string);
}
