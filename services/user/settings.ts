// What every process knows of the user service without loading it.
export { DEMO_ACCOUNTS, DEMO_BUYER } from './accounts/demo-accounts.ts';
export { ACCESS_TOKEN_AUDIENCE } from './accounts/domain.ts';
export { accountSettings as userSettings } from './accounts/settings.ts';
