/**
 * `posix-sockets/netlink`: netlink messages and attributes as views, and what they are most asked for: the links,
 * addresses, routes, neighbours and sockets of a network namespace.
 * @module
 */
export { type Attribute, type AttributeValue, attributeBytes, NetlinkAttributes, netlinkAlign } from './attributes.js';
export { NetlinkError, netlinkQuery, netlinkRequest, netlinkSocket } from './exchange.js';
export { NetlinkMessage, nlmsgerr, nlmsghdr } from './message.js';
export * from './route.js';
export * from './sock-diag.js';
export * from './traffic-control.js';
