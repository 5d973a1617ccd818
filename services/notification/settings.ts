import { integer, text } from '#kit';

/** Apart from service.ts, so that every process knows the names without loading a mail library. */
export const notificationSettings = {
  SMTP_URL: text({ default: '', secret: true, doc: 'Mail server, such as smtp://user:password@mail.example.com:587 (STARTTLS) or smtps://… (TLS); empty: MESH_MAIL_DIR' }),
  MAIL_FROM: text({ default: '', doc: 'Sender of mails, such as shop@example.com; needed with SMTP_URL' }),
  MESH_MAIL_DIR: text({ default: '', doc: 'Folder that gets a file for each mail while SMTP_URL is not set; both empty: nothing is mailed' }),
  MESH_MAIL_RATE: integer({ default: 50, min: 1, max: 10_000, doc: 'Mails a second that an instance of notification sends at most' }),
};
