import type { GetUserRequest, GetUserResponse } from '#proto/shop/user/v1/user_pb.js';

/** One way to make the call that is measured. */
export interface BenchClient {
  call(request: GetUserRequest): Promise<GetUserResponse>;
  /** Resolves when nothing of the calls is left to do, such as spans to send: that is not to fall upon whoever is measured next. */
  settle(): Promise<void>;
}

export interface BenchServer {
  readonly port: number;
  settle(): Promise<void>;
}

/** What a peer needs to know; each uses what concerns it. */
export interface PeerOptions {
  /** Base address of the receiver of its spans, where it makes any. */
  readonly otlpEndpoint: string;
  /** Share of the calls that are traced, 0 to 1. */
  readonly sampleRatio: number;
  /** The mechanism of our runtime that is switched off. */
  readonly without?: string;
  /** Whether our runtime measures its calls, and is read each second. */
  readonly isMetered?: boolean;
  /** Folder of what caller and callee prove with who they are. */
  readonly papers?: string;
}

/** A library to make and to serve calls with. Each side is a process of its own. */
export interface Peer {
  serve(options: PeerOptions): Promise<BenchServer>;
  /** A client of the server on `port` of this machine. */
  connect(port: number, options: PeerOptions): Promise<BenchClient>;
}
