import { requireStripeKey } from '#modules';

import { requirePolicySettings } from '../policies/require-policy-settings.ts';
import { isGiven, type Resolved } from '../settings.ts';

/** Settings of which a service would say only after everything else is up that they cannot be used. INVALID_SETTING. */
export async function checkSettings(settings: Resolved): Promise<void> {
  await requirePolicySettings(settings.values.MESH_POLICY);
  if (isGiven('STRIPE_API_KEY', settings)) requireStripeKey(settings.values.STRIPE_API_KEY);
}
