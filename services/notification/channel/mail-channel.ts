import type { Stoppable } from '#kit';

/** A mail to one person. */
export interface Mail {
  /** The notification's: a mail that is sent again is the same one, also to the mail server. */
  readonly id: string;
  readonly to: { readonly name: string; readonly address: string };
  /** One line. */
  readonly subject: string;
  /** Plain text. */
  readonly text: string;
  readonly date: Date;
}

/** What became of a mail. Reasons are for people to read, and hold no secrets. */
export type MailOutcome =
  | { readonly kind: 'taken' }
  /** Not taken, and may be another time. */
  | { readonly kind: 'not-now'; readonly reason: string }
  /** Not taken, and will not be. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** It left, and no answer came. */
  | { readonly kind: 'unknown'; readonly reason: string };

export interface SendOptions {
  /**
   * Called when the other side is ready and before the first byte of the mail leaves, so that whoever sends can note
   * it. When it rejects, nothing leaves, and `send` rejects with that error. It is called once, or not at all, and is
   * over when `send` is.
   * @param to names the place that gets the mail, where that can be told from others: `wasTaken` is given it
   */
  handOver(to?: string): Promise<void>;
  /** Gives up; what has not left by then is 'not-now', what has is 'unknown'. */
  readonly signal: AbortSignal;
}

/** A way to send mail. */
export interface MailChannel extends Stoppable {
  /** Rejects with what `handOver` rejects with; with anything else only before it calls that. */
  send(mail: Mail, options: SendOptions): Promise<MailOutcome>;
  /** Whether a mail of this id was taken, for one whose sender died after it was handed over to `to`; undefined where nobody can tell. */
  wasTaken(id: string, to: string | undefined): Promise<boolean | undefined>;
}
