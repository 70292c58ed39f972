/** PostgreSQL's text holds no NUL, and refuses a query that has one: such a name names nothing. */
export function isStorable(text: string): boolean {
  return !text.includes('\0');
}
