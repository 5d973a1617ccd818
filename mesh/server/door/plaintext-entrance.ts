import { BlockList, isIPv6 } from 'node:net';

import { type Peer, unprovedPeer } from '../../identity/peer.ts';
import type { Entrance, EntranceOptions } from './entrance.ts';
import { readPreface, turnAway } from './preface.ts';

const HINT = 'This port speaks gRPC, over HTTP/2 without an upgrade. Use a gRPC client, such as grpcurl -plaintext.\n';

/** `peer` is who calls from this machine; empty: nobody is known. */
export function createPlaintextEntrance(peer: string, { letIn, notices }: EntranceOptions): Entrance {
  const loopback = new BlockList();
  loopback.addSubnet('127.0.0.0', 8, 'ipv4');
  loopback.addAddress('::1', 'ipv6');

  function peerAt(address: string): Peer {
    const isNear = peer !== '' && loopback.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
    return isNear ? { service: peer, proof: 'loopback', address } : unprovedPeer(address);
  }

  return {
    enter(connection) {
      connection.peer = peerAt(connection.address);
      readPreface(
        connection.socket,
        () => letIn(connection, connection.socket),
        (what) => {
          notices.note(what, connection.address);
          turnAway(connection.socket, what, HINT);
        },
      );
    },
    sweep() {},
    stop() {},
  };
}
