import { duration } from '#kit';

export const orderSettings = {
  MESH_SAGA_LEASE: duration({ default: 5_000, doc: 'How long an order stays with an instance that died before another one takes it over' }),
};
