import { BlockList, isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';
import { PipelineError } from '../../errors.ts';
import type { ApiSettings } from '../shared/context.ts';

/**
 * The proxies that speak https in our place: what they say of a request is believed, and what
 * others say is not.
 */

/** Tells of an address whether it is one of these, which are addresses and ranges. */
export function inRanges(ranges: readonly string[]): (address: string | undefined) => boolean {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', length] = range.split('/');
    const type = familyOf(address);
    if (length === undefined) list.addAddress(address, type);
    else list.addSubnet(address, Number(length), type);
  }
  return (given) => {
    // Sockets that listen on all addresses write those of IPv4 so.
    const address = given?.replace(/^::ffff:(?=[\d.]+$)/, '');
    return address !== undefined && isIP(address) !== 0 && list.check(address, familyOf(address));
  };
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}

/**
 * Refuses by `AUTH_DENIED` what did not come over https through one of the proxies, where there are
 * any.
 */
export function proxyCheck({
  proxies,
}: Pick<ApiSettings, 'proxies'>): (request: FastifyRequest) => void {
  if (proxies === undefined) return () => undefined;
  const isProxy = inRanges(proxies);
  return ({ socket, headers }) => {
    if (!isProxy(socket.remoteAddress))
      throw new PipelineError(
        'AUTH_DENIED',
        'this server is reached through its proxy alone (QUOTIDIEN_TRUSTED_PROXIES)',
      );
    if (headers['x-forwarded-proto'] !== 'https')
      throw new PipelineError(
        'AUTH_DENIED',
        'this server is reached by https alone; the proxy says so by X-Forwarded-Proto: https',
      );
  };
}
