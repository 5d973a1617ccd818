/** What a user can turn off by itself. */
export type Category = 'ORDER' | 'PAYMENT' | 'SHIPPING';

/** Everything that a user is told, and what it belongs to. */
export const CATEGORY_OF = {
  ORDER_PLACED: 'ORDER',
  ORDER_CONFIRMED: 'ORDER',
  ORDER_FAILED: 'ORDER',
  ORDER_CANCELLATION_REFUSED: 'ORDER',
  ORDER_CANCELLED: 'ORDER',
  PAYMENT_COMPLETED: 'PAYMENT',
  PAYMENT_FAILED: 'PAYMENT',
  PAYMENT_REFUNDED: 'PAYMENT',
  PAYMENT_REFUND_FAILED: 'PAYMENT',
  SHIPMENT_SCHEDULED: 'SHIPPING',
  SHIPMENT_HANDED_OVER: 'SHIPPING',
  SHIPMENT_CANCELLED: 'SHIPPING',
} as const satisfies Record<string, Category>;

export type Kind = keyof typeof CATEGORY_OF;

/**
 * PENDING -> SENDING -> SENT, FAILED or UNCONFIRMED; back to PENDING from SENDING when the
 * mail was not taken. SENDING is committed before the first byte of the mail leaves, so a
 * process that dies leaves PENDING behind (nothing has left) or SENDING (something may have).
 * PARKED waits to learn whose order it is; SUPPRESSED is not mailed at all.
 */
export type NotificationState = 'PARKED' | 'PENDING' | 'SENDING' | 'SENT' | 'SUPPRESSED' | 'FAILED' | 'UNCONFIRMED';

/** A notification that has its user. */
export interface Notification {
  readonly notificationId: string;
  readonly userId: string;
  readonly orderId: string;
  readonly kind: Kind;
  readonly subject: string;
  readonly body: string;
  readonly state: Exclude<NotificationState, 'PARKED'>;
  /** Why it is in this state, or why the last try failed; else empty. */
  readonly reason: string;
  readonly createTime: Date;
  /** Null unless SENT. */
  readonly sentTime: Date | null;
  /** Higher than that of whatever changed among the user's notifications before. */
  readonly sequence: bigint;
}

/** How a notification reads. */
export interface Words {
  /** One line. */
  readonly subject: string;
  /** Plain text. */
  readonly body: string;
}
