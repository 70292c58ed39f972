import { findFreePort, tryToListen } from '@pademelon/runtime/ports';
import { SettingError } from '@pademelon/runtime/settings';

/** Resolves to `port`, or for 0 to a free one. Throws a SettingError with one sentence when it cannot be listened on. */
export async function requirePort(host: string, port: number): Promise<number> {
  try {
    if (port === 0) return await findFreePort(host);
    await tryToListen(host, port);
    return port;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const address = `${host}:${port}`;
    if (code === 'EADDRINUSE') {
      throw new SettingError(
        `Port ${port} on ${host} is already in use. Stop what uses it, or choose another port: PORT=${port < 65535 ? port + 1 : 8080} npm start.`,
      );
    }
    if (code === 'EACCES') {
      throw new SettingError(
        `Port ${port} needs more rights than this user has. Choose one from 1024 on: PORT=8080 npm start.`,
      );
    }
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN' || code === 'EINVAL') {
      throw new SettingError(
        `HOST is ${JSON.stringify(host)}, which is no address of this machine. Use 127.0.0.1 for this machine only, or 0.0.0.0 for all addresses.`,
      );
    }
    throw new SettingError(`${address} cannot be listened on: ${message}.`);
  }
}
