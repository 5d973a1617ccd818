import { randomUUID } from 'node:crypto';

import { ADDRESS, EUR_12_50 } from '../orders.ts';
import type { Victim } from './victim.ts';

/** What somebody asks for that is another's. */
export interface Attempt {
  readonly request: object;
  /** How it ends where it is let in; left out: well. */
  readonly otherwise?: string;
}

const lines = ({ productId }: Victim) => [{ productId, quantity: 1 }];

/** By full method name: how to come at what the victim has, or, where nobody's is meant, the request itself. */
export const ATTEMPTS: Readonly<Record<string, (victim: Victim) => Attempt>> = {
  ...of('shop.user.v1.UserService', {
    CreateUser: () => ({ request: { userId: `u-${randomUUID()}`, email: 'a@example.com', displayName: 'A' } }),
    GetUser: ({ userId }) => ({ request: { userId } }),
    ListUsers: () => ({ request: {} }),
  }),
  ...of('shop.user.v1.AccountService', {
    ListRevocations: () => ({ request: {} }),
    IssueVerificationCode: () => ({ request: { verificationId: randomUUID() }, otherwise: 'VERIFICATION_NOT_FOUND' }),
  }),
  ...of('shop.product.v1.ProductService', {
    CreateProduct: () => ({ request: { productId: `p-${randomUUID()}`, name: 'A product', price: EUR_12_50 } }),
    UpdateProduct: ({ productId }) => ({ request: { productId, name: 'Another name' } }),
  }),
  ...of('shop.inventory.v1.InventoryService', {
    SetStock: ({ productId }) => ({ request: { productId, available: 1_000n } }),
    GetStock: ({ productId }) => ({ request: { productId } }),
    Reserve: (victim) => ({ request: { orderId: randomUUID(), lines: lines(victim) } }),
    Commit: ({ orderId }) => ({ request: { orderId } }),
    Release: ({ orderId }) => ({ request: { orderId }, otherwise: 'RESERVATION_COMMITTED' }),
    Restock: ({ orderId }) => ({ request: { orderId } }),
  }),
  ...of('shop.payment.v1.PaymentService', {
    Charge: () => ({ request: { orderId: randomUUID(), amount: EUR_12_50, paymentMethod: 'pm_card_visa' } }),
    Refund: ({ orderId }) => ({ request: { orderId } }),
    RefundPart: ({ orderId }) => ({ request: { orderId, refundId: randomUUID(), amount: EUR_12_50, reason: 'broken' } }),
    GetPayment: ({ orderId }) => ({ request: { orderId } }),
  }),
  ...of('shop.shipping.v1.ShippingService', {
    ScheduleShipment: (victim) => ({ request: { orderId: randomUUID(), address: ADDRESS, lines: lines(victim) } }),
    CancelShipment: ({ orderId }) => ({ request: { orderId } }),
    HandOverShipment: ({ shipmentId }) => ({ request: { shipmentId } }),
    GetShipment: ({ shipmentId }) => ({ request: { shipmentId } }),
    ListShipments: ({ orderId }) => ({ request: { orderId } }),
  }),
  ...of('shop.order.v1.OrderService', {
    PlaceOrder: (victim) => ({
      request: { requestId: randomUUID(), userId: victim.userId, lines: lines(victim), paymentMethod: 'pm_card_visa', shippingAddress: ADDRESS },
    }),
    GetOrder: ({ orderId }) => ({ request: { orderId } }),
    ListOrders: ({ userId }) => ({ request: { userId } }),
    CancelOrder: ({ orderId }) => ({ request: { orderId } }),
    WatchOrder: ({ orderId }) => ({ request: { orderId } }),
  }),
  ...of('shop.order.v1.SagaService', {
    ListSagas: () => ({ request: {} }),
    GetSaga: ({ orderId }) => ({ request: { sagaId: orderId } }),
    RetrySaga: ({ orderId }) => ({ request: { sagaId: orderId, who: 'a', why: 'b' }, otherwise: 'SAGA_NOT_STUCK' }),
    ResolveSaga: ({ orderId }) => ({ request: { sagaId: orderId, who: 'a', why: 'b', step: 'charge' }, otherwise: 'SAGA_NOT_STUCK' }),
    SkipSaga: ({ orderId }) => ({ request: { sagaId: orderId, who: 'a', why: 'b', step: 'charge' }, otherwise: 'SAGA_NOT_STUCK' }),
  }),
  ...of('shop.notification.v1.NotificationService', {
    ListNotifications: ({ userId }) => ({ request: { userId } }),
    // It goes on as long as somebody looks.
    WatchNotifications: ({ userId }) => ({ request: { userId }, otherwise: 'DEADLINE_EXCEEDED' }),
    GetPreferences: ({ userId }) => ({ request: { userId } }),
    SetPreferences: ({ userId }) => ({ request: { userId, preferences: { muted: [1] } } }),
  }),
};

type Attempts = Readonly<Record<string, (victim: Victim) => Attempt>>;

function of(service: string, attempts: Attempts): Attempts {
  return Object.fromEntries(Object.entries(attempts).map(([method, attempt]) => [`${service}/${method}`, attempt]));
}
