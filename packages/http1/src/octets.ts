/** Character classes of RFC 9110 as tables of 256: one look-up a byte. */
export const CR = 13;
export const LF = 10;
export const SPACE = 32;
export const TAB = 9;
export const COLON = 58;
export const COMMA = 44;

const tokenCharacters = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** 1 for characters of a token: methods and header names. */
export const isToken = table((code) => tokenCharacters.includes(String.fromCharCode(code)));

/** 1 for what a header value may hold: visible characters, space, tab and bytes from 128; no other control character. */
export const isFieldValue = table((code) => code === TAB || (code >= 32 && code !== 127));

/** 1 for what a request target may hold: visible ASCII. */
export const isTarget = table((code) => code > 32 && code < 127);

/** The lower-case form of ASCII letters, every other byte itself. */
export const lowerCase = Uint8Array.from({ length: 256 }, (_, code) => (code >= 65 && code <= 90 ? code + 32 : code));

/** Whether bytes[start..end) is `name`, which is given in lower case, whatever the case of the bytes. */
export function equalsIgnoringCase(bytes: Uint8Array, start: number, end: number, name: string): boolean {
  if (end - start !== name.length) return false;
  for (let i = 0; i < name.length; i++) {
    if (lowerCase[bytes[start + i]!] !== name.charCodeAt(i)) return false;
  }
  return true;
}

function table(accepts: (code: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, code) => (accepts(code) ? 1 : 0));
}
