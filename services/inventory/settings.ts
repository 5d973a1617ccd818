import { duration } from '#kit';

export const inventorySettings = {
  MESH_RESERVATION_TTL: duration({ default: 15 * 60_000, doc: 'How long stock stays set aside for an order that is neither confirmed nor called off' }),
};
