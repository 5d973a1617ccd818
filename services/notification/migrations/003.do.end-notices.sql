-- Whether the buyer of an order was told its end, which `mesh doctor books` asks for thousands of orders at once.
CREATE INDEX notification_of_end ON notification (order_id) WHERE kind IN ('ORDER_CONFIRMED', 'ORDER_FAILED', 'ORDER_CANCELLED');
