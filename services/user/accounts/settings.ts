import { flag } from '#kit';

/** Apart from service.ts, so that every process knows the names without loading the service. */
export const accountSettings = {
  MESH_DEMO_ACCOUNTS: flag({
    default: false,
    doc: 'Make the accounts demo and staff, whose passwords are known to everybody; `mesh up --demo` sets it for a database of its own; refused where MESH_ADVERTISE is not loopback; false: such accounts of an earlier start are deleted',
  }),
};
