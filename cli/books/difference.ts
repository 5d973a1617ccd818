/** What is compared, in the order in which it is told. */
export const CHECKS = ['money', 'payments', 'goods', 'shipments', 'notices', 'stock', 'unknown orders'] as const;

export type Check = (typeof CHECKS)[number];

/** Every way in which books can differ, with the check that finds it. */
export const CHECK_OF = {
  'not captured': 'money',
  'captured more than once': 'money',
  'captured another amount': 'money',
  'refunded though confirmed': 'money',
  'not given back': 'money',
  'refunded more than captured': 'money',
  'payment differs': 'payments',
  'reservation differs': 'goods',
  'reserved other lines': 'goods',
  'shipment differs': 'shipments',
  'not booked': 'shipments',
  'booked more than once': 'shipments',
  'booking differs': 'shipments',
  'still booked': 'shipments',
  'not told': 'notices',
  'told more than once': 'notices',
  'told otherwise': 'notices',
  'pieces do not add up': 'stock',
  'reserved pieces differ': 'stock',
  'sold pieces differ': 'stock',
  'fewer than no pieces': 'stock',
  'unknown order': 'unknown orders',
} as const satisfies Record<string, Check>;

export type DifferenceKind = keyof typeof CHECK_OF;

export interface Difference {
  readonly kind: DifferenceKind;
  /** What `id` names. */
  readonly about: 'order' | 'product' | 'charge' | 'refund';
  readonly id: string;
  /** A sentence without its subject, such as "was captured twice". */
  readonly says: string;
  /**
   * False for what is only told: an entry of an unknown order that neither took money nor
   * booked nor sold anything, which whoever calls a service directly leaves behind; and a
   * notice that waits.
   */
  readonly fails: boolean;
}
