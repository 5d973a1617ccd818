import type { ControlPlane } from '#discovery';
import { createLog } from '#kit';

import { settingsOfRunningShop } from './running-shop.ts';
import { connectControlPlane } from '../serving/control-plane.ts';

/** Opens the control plane of the running shop, or of the one that the settings name, for as long as `use` takes. */
export async function withControlPlane<T>(use: (controlPlane: ControlPlane) => Promise<T>): Promise<T> {
  const { settings } = await settingsOfRunningShop();
  const controlPlane = await connectControlPlane(settings, createLog({ level: 'error' }));
  try {
    return await use(controlPlane);
  } finally {
    await controlPlane.stop();
  }
}
