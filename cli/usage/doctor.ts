import { addBooks } from './books.ts';
import type { Usage } from './usage.ts';

export function addDoctor(usage: Usage): void {
  const { command, output, finish } = usage;
  const doctor = command('doctor', 'look for what goes wrong most often around a shop, and say what to do')
    .addHelpText('after', CHECKS)
    .action(async () => {
      const { doctorCommand } = await import('../commands/doctor.ts');
      finish(await doctorCommand(output));
    });
  addBooks(doctor, usage);
}

const CHECKS = `
What it looks at, a line each; it ends with 1 when a line says FAIL:
  ports           somebody else listens where a service has to
  versions        Node; instances of another version than this program
  registrations   registered instances behind which nobody listens, services without a healthy one
  processes       given up, waiting to be started again, or not registered
  clock           this machine's against that of Postgres and of Consul
  schema          each service's tables against its code
  roles           database roles of services that may do more than work on their own tables
  sagas           sagas that are stuck, or whose step fails again and again
  events          events that a consumer has given up, or that wait too long to be published
  mails           mails that wait for another try
  settings        given here, but without effect, or leaving keys to others`;
