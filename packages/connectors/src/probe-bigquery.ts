import { createSign } from 'node:crypto';
import { missing, type Probe, type ProbeResult, textAt } from './probe.ts';

const googleTokenUri = 'https://oauth2.googleapis.com/token';

/**
 * A dry run of a query, which costs nothing and needs what a real one needs: the account, its key and the project. The
 * details are those of a service account's key file. `api_endpoint` leads to another server than Google's, such as an
 * emulator, which may do without an account.
 */
export const probeBigquery: Probe = async (details) => {
  const clientEmail = textAt(details, 'client_email');
  const privateKey = textAt(details, 'private_key');
  const projectId = textAt(details, 'project_id', 'project');
  const apiEndpoint = textAt(details, 'api_endpoint');
  if (projectId === undefined) return missing('project_id');
  const hasAccount = clientEmail !== undefined && privateKey !== undefined;
  if (apiEndpoint === undefined && !hasAccount) return missing('client_email', 'private_key');
  let accessToken = 'anonymous';
  if (hasAccount) {
    const tokenUri = textAt(details, 'token_uri') ?? googleTokenUri;
    const logIn = await fetchAccessToken({ clientEmail, privateKey, tokenUri });
    if (typeof logIn !== 'string') return logIn;
    accessToken = logIn;
  }
  const [{ BigQuery }, { OAuth2Client }] = await Promise.all([
    import('@google-cloud/bigquery'),
    import('google-auth-library'),
  ]);
  const authClient = new OAuth2Client({
    credentials: { access_token: accessToken, expiry_date: Date.now() + 600_000 },
  });
  const bigquery = new BigQuery({
    projectId,
    authClient,
    ...(apiEndpoint === undefined ? {} : { apiEndpoint }),
    autoRetry: false,
    maxRetries: 0,
  });
  try {
    await bigquery.createQueryJob({ query: 'SELECT 1', dryRun: true });
    return { outcome: 'reached', text: 'BigQuery took a dry run of a query in the project.' };
  } catch (error) {
    const { code, status } = error as { code?: unknown; status?: unknown };
    const answered = Number(code ?? status);
    if (!(answered >= 400 && answered < 500)) throw error;
    return { outcome: 'refused', text: `BigQuery refused a dry run of a query with status ${answered}.` };
  }
};

/**
 * Logs the service account in where its key file says. Google's own library for Node always asks Google, while its
 * Python one, which the code of runs uses, follows `token_uri`.
 */
async function fetchAccessToken(account: {
  clientEmail: string;
  privateKey: string;
  tokenUri: string;
}): Promise<string | ProbeResult> {
  const { clientEmail, privateKey, tokenUri } = account;
  const issuedAt = Math.floor(Date.now() / 1_000);
  const claims = {
    iss: clientEmail,
    scope: 'https://www.googleapis.com/auth/bigquery',
    aud: tokenUri,
    iat: issuedAt,
    exp: issuedAt + 600,
  };
  const signed = `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode(claims)}`;
  let signature: string;
  try {
    signature = createSign('RSA-SHA256').update(signed).sign(privateKey, 'base64url');
  } catch {
    return { outcome: 'invalid_details', text: 'The private_key is not a key in PEM form.' };
  }
  const response = await fetch(tokenUri, {
    method: 'POST',
    redirect: 'error',
    body: new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      assertion: `${signed}.${signature}`,
    }),
  });
  const answer = response.ok ? ((await response.json()) as { access_token?: unknown }) : {};
  if (typeof answer.access_token === 'string') return answer.access_token;
  return { outcome: 'refused', text: `The log-in of the service account was refused with status ${response.status}.` };
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}
