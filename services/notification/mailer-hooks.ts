/** Points at which a test may stop, fail or kill whoever sends a mail. Not for services. */
export interface MailerHooks {
  /** It was taken up, and is PENDING. */
  afterTake?(notificationId: string): Promise<void> | void;
  /** It is SENDING, and nothing of the mail has left. */
  afterHandOver?(notificationId: string): Promise<void> | void;
  /** The mail server has answered, and nobody has noted that. */
  afterAnswer?(notificationId: string): Promise<void> | void;
  /** Without it the hand-over is not noted before the mail leaves: a mail whose sender dies is sent again. */
  readonly withoutNote?: boolean;
}
