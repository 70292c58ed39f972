import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { buildZip, type ZipEntrySpec } from '@pademelon/testing';

/** A package index of this machine, as pip and uv ask one: /simple/<project>/ lists files. */
export interface TestIndex {
  readonly url: string;
  /** Project pages that were asked for, in order. */
  readonly asked: string[];
  add(fileName: string, content: Buffer): void;
  /** From now on questions are left without an answer. */
  fallSilent(): void;
  /** Answers what it has left without, too. */
  speakAgain(): void;
  close(): void;
}

/** With `login` (`user:password`) it answers nobody else. */
export async function startTestIndex(login?: string): Promise<TestIndex> {
  const files = new Map<string, Buffer>();
  const asked: string[] = [];
  let isSilent = false;
  const unanswered: (() => void)[] = [];
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const path = request.url ?? '';
    if (isSilent) {
      unanswered.push(() => answer(request, response));
      return;
    }
    if (login !== undefined && request.headers.authorization !== `Basic ${btoa(login)}`) {
      response.writeHead(401, { 'www-authenticate': 'Basic' }).end();
      return;
    }
    const project = /^\/simple\/([^/]+)\/$/.exec(path)?.[1];
    if (project !== undefined) {
      asked.push(project);
      answerProject(
        response,
        [...files.keys()].filter((name) => projectOf(name) === project),
      );
      return;
    }
    const content = files.get(path.replace('/files/', ''));
    response.writeHead(content === undefined ? 404 : 200).end(content);
  };
  const server: Server = createServer(answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}/simple/`,
    asked,
    add: (fileName, content) => void files.set(fileName, content),
    fallSilent: () => {
      isSilent = true;
    },
    speakAgain: () => {
      isSilent = false;
      for (const late of unanswered.splice(0)) late();
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

function answerProject(response: ServerResponse, names: readonly string[]): void {
  if (names.length === 0) {
    response.writeHead(404).end();
    return;
  }
  const links = names.map((name) => `<a href="/files/${name}">${name}</a>`).join('\n');
  response.writeHead(200, { 'content-type': 'text/html' }).end(`<!DOCTYPE html><html><body>${links}</body></html>`);
}

function projectOf(fileName: string): string {
  return (fileName.split('-')[0] as string).toLowerCase().replaceAll('_', '-');
}

/** A wheel of pure Python whose package `name` has the files given, besides what a wheel must have. */
export function buildWheel(
  name: string,
  files: Readonly<Record<string, string>>,
  requires: readonly string[] = [],
  version = '1.0',
): Buffer {
  const info = `${name}-${version}.dist-info`;
  const entries: ZipEntrySpec[] = [
    ...Object.entries(files).map(([path, content]) => ({ name: path, content })),
    {
      name: `${info}/METADATA`,
      content: [
        'Metadata-Version: 2.1',
        `Name: ${name}`,
        `Version: ${version}`,
        ...requires.map((r) => `Requires-Dist: ${r}`),
        '',
      ].join('\n'),
    },
    {
      name: `${info}/WHEEL`,
      content: 'Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
    },
  ];
  const record = [...entries.map((entry) => `${entry.name as string},,`), `${info}/RECORD,,`].join('\n');
  return buildZip([...entries, { name: `${info}/RECORD`, content: `${record}\n` }]);
}
