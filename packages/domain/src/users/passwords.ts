/** Makes, hashes and checks passwords and the secrets of API clients. */
export interface Passwords {
  /** A random password that cannot be guessed. */
  generate(): string;
  hash(password: string): Promise<string>;
  /**
   * Whether the password is the one that was hashed. With no hash it takes as long and resolves to false, so that the
   * time of an answer does not tell whether a user exists.
   */
  verify(password: string, hash: string | null): Promise<boolean>;
}
