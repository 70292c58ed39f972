import type { Platform } from './platform.ts';

export interface RestAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Buffer;
  readonly text: string;
}

export interface RestClient {
  readonly url: string;
  readonly token: string;
  /** Any request below the product's URL with this client's token; never throws for a status. */
  send(path: string, init?: RestRequest): Promise<RestAnswer>;
  /** POSTs JSON and gives the JSON of a 2xx answer; throws with the server's message otherwise. */
  // biome-ignore lint/suspicious/noExplicitAny: answers are read as a script would read them, without types.
  call(path: string, body?: unknown): Promise<any>;
}

export interface RestRequest {
  readonly method?: string;
  readonly body?: string | Uint8Array | FormData | URLSearchParams;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

const tokenPath = '/auth/realms/master/protocol/openid-connect/token';

/** A client with a token by the password grant. */
export async function logIn(
  platform: Pick<Platform, 'url' | 'username' | 'password'>,
  client: { id: string; secret?: string } = { id: 'sdk-client' },
): Promise<RestClient> {
  const { username, password } = platform;
  const granted = await requestToken(platform.url, { grant_type: 'password', username, password }, client);
  if (granted.status !== 200)
    throw new Error(`The log-in of ${username} was answered ${granted.status}: ${granted.text}`);
  return restClient(platform.url, JSON.parse(granted.text).access_token);
}

/** One POST to the token endpoint; a client with a secret names itself by HTTP basic authentication. */
export function requestToken(
  url: string,
  form: Readonly<Record<string, string>>,
  client: { id: string; secret?: string } = { id: 'sdk-client' },
): Promise<RestAnswer> {
  const { id, secret } = client;
  if (secret === undefined) {
    return restClient(url, '').send(tokenPath, { body: new URLSearchParams({ ...form, client_id: id }) });
  }
  const authorization = `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
  return restClient(url, '').send(tokenPath, { body: new URLSearchParams(form), headers: { authorization } });
}

export function restClient(url: string, token: string): RestClient {
  const send = async (path: string, init: RestRequest = {}): Promise<RestAnswer> => {
    const authorization = token === '' ? undefined : { authorization: `Bearer ${token}` };
    const response = await fetch(path.startsWith('http') ? path : `${url}${path}`, {
      method: init.method ?? 'POST',
      headers: { ...authorization, ...init.headers },
      body: (init.body as NonNullable<RequestInit['body']> | undefined) ?? null,
      redirect: 'manual',
      signal: init.signal ?? null,
    });
    const bytes = Buffer.from(await response.arrayBuffer());
    return { status: response.status, headers: response.headers, bytes, text: bytes.toString() };
  };
  return {
    url,
    token,
    send,
    async call(path, body = {}) {
      const answer = await send(path, { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } });
      if (answer.status < 200 || answer.status > 299) {
        throw new Error(`${path} was answered ${answer.status}: ${answer.text.slice(0, 2000)}`);
      }
      return answer.text === '' ? undefined : JSON.parse(answer.text);
    },
  };
}
