/** What each service tells of its books, gathered here because `books.ts` is no entry of a service's folder. */
export { type OrderInBooks, ordersInBooks, pageOfOrders, unknownOrders } from '#books/order';
export { ordersWithReservation, pageOfStock, type ReservationInBooks, reservationsInBooks, type StockInBooks } from '#books/inventory';
export { type EndNotice, type NoticesInBooks, noticesInBooks } from '#books/notification';
export { ordersWithPayment, type PaymentInBooks, paymentsInBooks, type StrayInBooks, straysInBooks } from '#books/payment';
export { type BookingInBooks, bookingsInBooks, ordersWithBooking, ordersWithShipment, type ShipmentInBooks, shipmentsInBooks } from '#books/shipping';
