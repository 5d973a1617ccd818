import { proveOnShop } from './prove-on-shop.ts';

proveOnShop('stand-ins alone', async () => ({ settings: {}, stop: async () => undefined }));
