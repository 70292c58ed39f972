import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { missing, type Probe, textAt } from './probe.ts';

/** Asks for the URL and reads no more than the head of the answer. Redirects are not followed. */
export const probeHttp: Probe = async (details) => {
  const place = textAt(details, 'url', 'host');
  if (place === undefined) return missing('url (or host)');
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(place) ? place : `https://${place}`;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    return { outcome: 'invalid_details', text: 'The URL of the connection is not an http:// or https:// URL.' };
  }
  const headers = details['headers'];
  const status = await getStatus(url, typeof headers === 'object' ? (headers as Record<string, string>) : {});
  const outcome = status < 400 ? 'reached' : 'refused';
  return { outcome, text: `The server answered with status ${status}.` };
};

function getStatus(url: URL, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, { headers, agent: false });
    request.once('response', (response) => {
      resolve(response.statusCode ?? 0);
      response.destroy();
    });
    request.once('error', reject);
    request.end();
  });
}
