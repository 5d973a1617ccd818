/**
 * CONSUL_HTTP_ADDR, which may leave the scheme out, as what paths are put behind: `http://127.0.0.1:8500`. Without user
 * and password, which no request of ours takes from there: it may be shown to people.
 */
export function consulOrigin(address: string): string {
  return new URL(/^[a-z]+:\/\//i.test(address) ? address : `http://${address}`).origin;
}
