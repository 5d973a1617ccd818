/** What becomes of a charge and its refund, by the names that the card company's test cards have for it. */
export const CARDS = {
  good: 'pm_card_visa',
  'slow to refund': 'pm_card_refundRefused_2',
  declined: 'pm_card_chargeDeclined',
  unknown: 'pm_card_nobody_has',
} as const;

/** How the carrier takes a booking, by the postal codes that make it do so. */
export const CARRIERS = {
  books: '10115',
  refuses: 'SIM-REFUSE',
  'fails twice': 'SIM-FAIL',
  'loses its answer': 'SIM-LOST',
  'is slow': 'SIM-SLOW',
} as const;

export type Card = keyof typeof CARDS;
export type Carrier = keyof typeof CARRIERS;

export interface WantedLine {
  /** Number of the product in its history. */
  readonly product: number;
  readonly quantity: number;
  /** The price of one piece that the buyer has seen; undefined: the buyer does not mind. */
  readonly seenMinor: number | undefined;
}

/** What one request asks for. */
export interface Wanted {
  readonly lines: readonly WantedLine[];
  readonly card: Card;
  readonly carrier: Carrier;
}

/** Such as `2 × p0, 1 × p2 seen at 999 (card declined)`. */
export function describeWanted({ lines, card, carrier }: Wanted): string {
  const words = lines.map(({ product, quantity, seenMinor }) => `${quantity} × p${product}${seenMinor === undefined ? '' : ` seen at ${seenMinor}`}`);
  const troubles = [...(card === 'good' ? [] : [`card ${card}`]), ...(carrier === 'books' ? [] : [`carrier ${carrier}`])];
  return `${words.join(', ')}${troubles.length === 0 ? '' : ` (${troubles.join(', ')})`}`;
}
