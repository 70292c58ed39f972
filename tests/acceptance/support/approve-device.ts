import { restClient } from './rest-client.ts';

/** Approves a device log-in as a browser without JavaScript would: pages, forms and cookies, over plain HTTP. */
export async function approveOverHttp(
  address: string,
  { username, password }: { username: string; password: string },
  decision: 'approve' | 'refuse' = 'approve',
): Promise<string> {
  const first = await open(address);
  const login = readForm(first.page, first.address);
  const asked = await submit(login, { username, password, step: 'login' }, first.cookies);
  const choice = readForm(asked.page, login.action);
  const decided = await submit(choice, { decision }, asked.cookies);
  return decided.page;
}

interface Visited {
  readonly address: string;
  readonly page: string;
  readonly cookies: string;
}

interface Form {
  readonly action: string;
  readonly fields: Readonly<Record<string, string>>;
}

async function open(address: string): Promise<Visited> {
  const answer = await restClient('', '').send(address, { method: 'GET' });
  if (answer.status !== 200) throw new Error(`${address} was answered ${answer.status}: ${answer.text}`);
  return { address, page: answer.text, cookies: readCookies(answer.headers) };
}

async function submit(form: Form, fields: Readonly<Record<string, string>>, cookies: string): Promise<Visited> {
  const origin = new URL(form.action).origin;
  const answer = await restClient('', '').send(form.action, {
    body: new URLSearchParams({ ...form.fields, ...fields }),
    headers: { origin, ...(cookies === '' ? {} : { cookie: cookies }) },
  });
  if (answer.status !== 200) throw new Error(`${form.action} was answered ${answer.status}: ${answer.text}`);
  return { address: form.action, page: answer.text, cookies: readCookies(answer.headers) || cookies };
}

function readCookies(headers: Headers): string {
  return headers
    .getSetCookie()
    .map((cookie) => cookie.split(';')[0])
    .join('; ');
}

/** The page's form with the values that its fields already have. */
function readForm(page: string, address: string): Form {
  const action = /<form[^>]*\baction="([^"]*)"/.exec(page)?.[1];
  if (action === undefined) throw new Error(`There is no form on the page:\n${page}`);
  const inputs = [...page.matchAll(/<input\b([^>]*)>/g)].map(([, attributes]) => ({
    name: /\bname="([^"]*)"/.exec(attributes!)?.[1],
    value: /\bvalue="([^"]*)"/.exec(attributes!)?.[1] ?? '',
  }));
  const named = inputs.filter(({ name }) => name !== undefined).map(({ name, value }) => [name!, value]);
  return { action: new URL(action, address).href, fields: Object.fromEntries(named) };
}
