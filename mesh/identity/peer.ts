/** Who makes a call, as far as that is proved. */
export interface Peer {
  /** Registry name of the service that calls, such as `order`, `explorer`, `operator`; empty where nothing proves one. */
  readonly service: string;
  /**
   * certificate: a verified client certificate. process: a call within this process. loopback: the explorer's plaintext
   * port. none: nothing, be it TLS without a certificate or plaintext where that is permitted.
   */
  readonly proof: 'certificate' | 'process' | 'loopback' | 'none';
  /** Its IP address without the port; empty within the process. */
  readonly address: string;
}

/** A service of this very process. */
export function processPeer(service: string): Peer {
  return { service, proof: 'process', address: '' };
}

/** A caller of whom nothing is known but where it is. */
export function unprovedPeer(address: string): Peer {
  return { service: '', proof: 'none', address };
}
