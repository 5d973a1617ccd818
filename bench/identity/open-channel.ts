import { Channel, type ChannelCredentials, type ChannelOptions, Client, connectivityState } from '@grpc/grpc-js';

import { requestOf, getUserMethod } from '../peers/user.ts';

/** A busy machine takes its time. */
const WITHIN_MS = 20_000;

/** Connections are not shared among channels; TLS is to find `user` at the other end. */
const OPTIONS: ChannelOptions = { 'grpc.use_local_subchannel_pool': 1, 'grpc.ssl_target_name_override': 'user', 'grpc.enable_http_proxy': 0 };

/** Opens a channel, waits until it is connected and both sides have proved who they are, and closes it. */
export async function connectOnce(port: number, how: ChannelCredentials): Promise<void> {
  const channel = new Channel(`127.0.0.1:${port}`, how, OPTIONS);
  try {
    await untilReady(channel);
  } finally {
    channel.close();
  }
}

async function untilReady(channel: Channel): Promise<void> {
  const deadline = Date.now() + WITHIN_MS;
  for (;;) {
    const state = channel.getConnectivityState(true);
    if (state === connectivityState.READY) return;
    if (state === connectivityState.TRANSIENT_FAILURE) throw new Error('a connection did not come about: this is no measurement');
    await new Promise<void>((resolve, reject) => channel.watchConnectivityState(state, deadline, (error) => (error ? reject(error) : resolve())));
  }
}

/** Throws unless the server has recognized the caller: a handshake without that is not what is measured. */
export async function checkKnownAs(service: string, port: number, how: ChannelCredentials): Promise<void> {
  const client = new Client(`127.0.0.1:${port}`, how, OPTIONS);
  const { path, requestSerialize, responseDeserialize } = getUserMethod;
  try {
    const known = await new Promise<string | undefined>((resolve, reject) => {
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, requestOf('anybody', 0), { deadline: Date.now() + WITHIN_MS }, (error, answer) =>
        error ? reject(error) : resolve(answer?.user?.displayName),
      );
    });
    if (known !== service) throw new Error(`the server took ${service} for "${known}": this is no measurement`);
  } finally {
    client.close();
  }
}
