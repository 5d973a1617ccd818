import { inventorySettings } from './inventory/settings.ts';
import { notificationSettings } from './notification/settings.ts';
import { orderSettings } from './order/settings.ts';
import { paymentSettings } from './payment/settings.ts';
import type { ServiceModule } from './service-module.ts';
import { userSettings } from './user/settings.ts';

export { requireStripeKey } from './payment/settings.ts';
export { ACCESS_TOKEN_AUDIENCE, DEMO_ACCOUNTS, DEMO_BUYER } from './user/settings.ts';

/** Every service of the shop and its well-known port, in the order in which they are listed. */
export const MODULES = {
  user: 50051,
  product: 50052,
  inventory: 50053,
  payment: 50054,
  shipping: 50055,
  order: 50056,
  notification: 50057,
} as const;

export type ModuleName = keyof typeof MODULES;

export const MODULE_NAMES = Object.keys(MODULES) as readonly ModuleName[];

/** The services' own settings, known to every process. */
export const SERVICE_SETTINGS = { ...userSettings, ...inventorySettings, ...paymentSettings, ...orderSettings, ...notificationSettings };

const SETTINGS_OF: Readonly<Partial<Record<ModuleName, Readonly<Record<string, { readonly secret: boolean }>>>>> = {
  user: userSettings,
  inventory: inventorySettings,
  payment: paymentSettings,
  order: orderSettings,
  notification: notificationSettings,
};

/** Names of the secrets that are the other services' own: a process without those services has no use for them. */
export function secretsOfOthers(services: readonly ModuleName[]): string[] {
  const others = MODULE_NAMES.filter((name) => !services.includes(name)).flatMap((name) => Object.entries(SETTINGS_OF[name] ?? {}));
  return others.filter(([, { secret }]) => secret).map(([setting]) => setting);
}

const LOADERS: Readonly<Record<ModuleName, () => Promise<{ service: ServiceModule }>>> = {
  user: () => import('./user/service.ts'),
  product: () => import('./product/service.ts'),
  inventory: () => import('./inventory/service.ts'),
  payment: () => import('./payment/service.ts'),
  shipping: () => import('./shipping/service.ts'),
  order: () => import('./order/service.ts'),
  notification: () => import('./notification/service.ts'),
};

export function isModuleName(name: string): name is ModuleName {
  return name in MODULES;
}

/** Loads one service's code. A process imports only what it runs: that is most of its start-up time. */
export async function loadModule(name: ModuleName): Promise<ServiceModule> {
  return (await LOADERS[name]()).service;
}
