/** An account whose password everybody knows. */
export interface DemoAccount {
  /** Also what people type for it. */
  readonly userId: string;
  readonly email: string;
  readonly displayName: string;
  readonly password: string;
  readonly roles: readonly string[];
}

/** The buyer of the sample order. */
export const DEMO_BUYER: DemoAccount = { userId: 'demo', email: 'demo@example.com', displayName: 'Demo', password: 'demo-password', roles: ['customer'] };

const DEMO_STAFF: DemoAccount = { userId: 'staff', email: 'staff@example.com', displayName: 'Staff', password: 'staff-password', roles: ['staff'] };

/** Who can sign in where the demo data are: only on one machine, and only where MESH_DEMO_ACCOUNTS says so. */
export const DEMO_ACCOUNTS: readonly DemoAccount[] = [DEMO_BUYER, DEMO_STAFF];
