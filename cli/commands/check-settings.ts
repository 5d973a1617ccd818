import { refusal } from '#kit';

import { requirePolicySettings } from '../policies/require-policy-settings.ts';
import { isGiven, type Resolved } from '../settings.ts';

/** Settings of which a service would say only after everything else is up that they cannot be used. INVALID_SETTING. */
export async function checkSettings(settings: Resolved): Promise<void> {
  await requirePolicySettings(settings.values.MESH_POLICY);
  // Never repeated in the sentence: what was pasted may be a secret, only not this one.
  if (isGiven('STRIPE_API_KEY', settings) && !/^[sr]k_\w+$/.test(settings.values.STRIPE_API_KEY)) {
    throw refusal('INVALID_SETTING', 'STRIPE_API_KEY is not a secret key of Stripe; it begins with sk_ or rk_. Without it, `mesh up` brings a simulator');
  }
}
