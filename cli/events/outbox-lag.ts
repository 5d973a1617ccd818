export { readOutboxLag as outboxLag } from '#events';
