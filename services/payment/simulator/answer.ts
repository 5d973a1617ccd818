/** What goes back over HTTP. The body is text, so that it can be kept and repeated to the byte. */
export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Stripe's error object: https://docs.stripe.com/api/errors. */
export interface StripeErrorBody {
  readonly type: 'api_error' | 'card_error' | 'idempotency_error' | 'invalid_request_error';
  readonly message: string;
  readonly code?: string;
  readonly param?: string;
  /** The intent whose charge failed. */
  readonly payment_intent?: object;
}

/** A request that is not carried out, and not kept under its idempotency key either. */
export class ApiRefusal extends Error {
  override readonly name = 'ApiRefusal';
  readonly answer: Answer;

  constructor(status: number, error: StripeErrorBody) {
    super(error.message);
    this.answer = errorAnswer(status, error);
  }
}

export function okAnswer(object: object): Answer {
  return { status: 200, body: toBody(object) };
}

export function errorAnswer(status: number, error: StripeErrorBody): Answer {
  return { status, body: toBody({ error }) };
}

/** Parameters that Stripe would refuse. */
export function invalid(message: string, where: { param?: string; code?: string } = {}): ApiRefusal {
  return new ApiRefusal(400, { type: 'invalid_request_error', message, ...where });
}

/** No such object. Stripe says 400 where a parameter names it and 404 where the path does. */
export function missing(status: 400 | 404, what: string, id: string, param: string): ApiRefusal {
  const message = `No such ${what}: '${id}'`;
  return new ApiRefusal(status, { type: 'invalid_request_error', code: 'resource_missing', message, param });
}

/** What Stripe may be able to do, but this stand-in is not. */
export function notCovered(what: string): ApiRefusal {
  const message = `The card-payment simulator does not cover ${what}. Set STRIPE_API_KEY and no MESH_STRIPE_URL to use Stripe itself.`;
  return new ApiRefusal(501, { type: 'invalid_request_error', code: 'not_simulated', message });
}

function toBody(object: object): string {
  return JSON.stringify(object, undefined, 2);
}
