import { execFile } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Stage } from './dockerfile.ts';

const run = promisify(execFile);

/** What a container needs to know of an image. */
export interface Image {
  /** Its file system, mounted from its layers. */
  readonly root: string;
  /** Folders of which each hides what those after it have at the same place. */
  readonly layers: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly workingFolder: string;
  readonly isRoot: boolean;
  readonly command: readonly string[];
  /** The command of its health check; empty without one. */
  readonly healthCheck: readonly string[];
}

export interface ImageBuilderOptions {
  readonly stages: readonly Stage[];
  /** Folder with a Debian that stands for the base image. */
  readonly debian: string;
  /** The build context: what `COPY . .` copies. */
  readonly context: string;
  /** Where images are put. */
  readonly folder: string;
}

/** Certificates of this machine's package registries, which the base image does not know. */
const certificates = '/etc/ssl/certs/ca-certificates.crt';

/**
 * Does what `docker build` does with our Dockerfile, as far as that uses it, without a Docker engine: each stage is a
 * layer over its base, in which the RUN instructions are executed as they are written.
 */
export class ImageBuilder {
  readonly #options: ImageBuilderOptions;
  readonly #built = new Map<string, Promise<Image>>();
  readonly #mounted: string[] = [];

  constructor(options: ImageBuilderOptions) {
    this.#options = options;
  }

  /** Gives the stage's image, built with the stages that it needs when that has not happened yet. */
  build(name: string): Promise<Image> {
    const known = this.#built.get(name);
    if (known !== undefined) return known;
    const stage = this.#options.stages.find((each) => each.name === name);
    if (stage === undefined) return Promise.reject(new Error(`The Dockerfile has no stage ${name}`));
    const building = this.#build(stage);
    this.#built.set(name, building);
    return building;
  }

  /** Unmounts every image. */
  async dispose(): Promise<void> {
    for (const root of this.#mounted.splice(0).reverse()) await run('umount', [root]);
  }

  async #build(stage: Stage): Promise<Image> {
    let image = await this.#base(stage.base, join(this.#options.folder, stage.name));
    for (const { name, text } of stage.instructions) image = await this.#apply(name, text, image);
    return image;
  }

  async #base(base: string, folder: string): Promise<Image> {
    const isStage = this.#options.stages.some((each) => each.name === base);
    const image = isStage ? await this.build(base) : debianImage(this.#options.debian);
    const [root, layer, work] = ['root', 'layer', 'work'].map((name) => join(folder, name)) as [string, string, string];
    for (const each of [root, layer, work]) mkdirSync(each, { recursive: true });
    const options = `lowerdir=${image.layers.join(':')},upperdir=${layer},workdir=${work}`;
    await run('mount', ['-t', 'overlay', 'overlay', '-o', options, root]);
    this.#mounted.push(root);
    for (const file of [certificates, '/etc/resolv.conf']) {
      if (existsSync(file)) copyFileSync(file, join(root, file));
    }
    const extended = { ...image, root, layers: [layer, ...image.layers] };
    // The Debian is that of the fresh machine, which has a user that the base image has not.
    if (!isStage) await execute(extended, 'if id -u somebody; then userdel --remove somebody; fi');
    return extended;
  }

  async #apply(name: string, text: string, image: Image): Promise<Image> {
    switch (name) {
      case 'RUN':
        await execute(image, text.replaceAll(/--mount=\S+\s+/g, ''));
        return image;
      case 'COPY':
        await this.#copy(text, image);
        return image;
      case 'WORKDIR':
        mkdirSync(join(image.root, text), { recursive: true });
        return { ...image, workingFolder: text };
      case 'ENV':
        return { ...image, environment: { ...image.environment, ...readPairs(text, image.environment) } };
      case 'USER':
        return { ...image, isRoot: text === 'root' };
      case 'CMD':
        return { ...image, command: JSON.parse(text) };
      case 'HEALTHCHECK':
        return { ...image, healthCheck: JSON.parse(text.slice(text.indexOf('CMD ') + 4)) };
      case 'EXPOSE':
        return image;
      default:
        throw new Error(`The instruction ${name} is not known here`);
    }
  }

  async #copy(text: string, image: Image): Promise<void> {
    const [, stage, from = '', to = ''] = /^(?:--from=(\S+) )?(\S+) (\S+)$/.exec(text) ?? [];
    const source = stage === undefined ? join(this.#options.context, from) : join((await this.build(stage)).root, from);
    cpSync(source, resolve(join(image.root, image.workingFolder), to), { recursive: true, verbatimSymlinks: true });
  }
}

function debianImage(root: string): Image {
  const environment = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };
  return { root, layers: [root], environment, workingFolder: '/', isRoot: true, command: [], healthCheck: [] };
}

/** `A=1 B=$A/2`, as ENV has it. */
function readPairs(text: string, known: Readonly<Record<string, string>>): Record<string, string> {
  const pairs = text.split(/\s+/).map((pair) => {
    const at = pair.indexOf('=');
    const value = pair.slice(at + 1).replaceAll(/\$(\w+)/g, (_, name: string) => known[name] ?? '');
    return [pair.slice(0, at), value] as const;
  });
  return Object.fromEntries(pairs);
}

/** Settings with which package managers reach their registries from this machine. */
const network =
  /^((https?|no)_proxy|npm_config_(registry|https?_proxy|noproxy)|PIP_(INDEX_URL|EXTRA_INDEX_URL|DEFAULT_TIMEOUT))$/i;

async function execute(image: Image, command: string): Promise<void> {
  const settings = Object.fromEntries(Object.entries(process.env).filter(([name]) => network.test(name)));
  const environment = {
    ...{ HOME: '/root', DEBIAN_FRONTEND: 'noninteractive', ...settings },
    ...{ SSL_CERT_FILE: certificates, NODE_EXTRA_CA_CERTS: certificates, PIP_CERT: certificates },
    ...image.environment,
  };
  const args = [
    ...['--bind', image.root, '/', '--dev', '/dev', '--proc', '/proc', '--perms', '1777', '--tmpfs', '/tmp'],
    ...['--unshare-pid'],
    ...['--die-with-parent', '--cap-add', 'ALL', '--chdir', image.workingFolder, '--clearenv'],
    ...Object.entries(environment).flatMap(([name, value]) => ['--setenv', name, value ?? '']),
    ...(image.isRoot ? [] : ['setpriv', '--reuid=1000', '--regid=1000', '--clear-groups']),
    ...['sh', '-c', command],
  ];
  try {
    await run('bwrap', args, { maxBuffer: 64 * 1024 ** 2 });
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`RUN ${command} failed:\n${(stdout + stderr).slice(-4_000)}`);
  }
}
