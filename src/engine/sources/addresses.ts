import { lookup as lookupName } from 'node:dns';
import type { LookupAddress } from 'node:dns';
import { BlockList, isIP } from 'node:net';
import type { LookupFunction } from 'node:net';
import { PipelineError } from '../../errors.ts';

/**
 * Which network addresses a publisher of the internet cannot have. Looked at where the connection
 * is made, so that no second answer of DNS comes between.
 */

/**
 * IANA's registries of special-purpose addresses: this host, private, shared, link-local (clouds
 * keep credentials there), documentation, multicast, reserved.
 */
const RESERVED_V4 = [
  ...[
    '0.0.0.0/8',
    '10.0.0.0/8',
    '100.64.0.0/10',
    '127.0.0.0/8',
    '169.254.0.0/16',
    '172.16.0.0/12',
    '192.0.0.0/24',
  ],
  ...[
    '192.0.2.0/24',
    '192.168.0.0/16',
    '198.18.0.0/15',
    '198.51.100.0/24',
    '203.0.113.0/24',
    '224.0.0.0/3',
  ],
];
const RESERVED_V6 = [
  '::/96',
  '64:ff9b:1::/48',
  '100::/64',
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  'fc00::/7',
  'fe80::/9',
  'ff00::/8',
];
/**
 * The last four bytes of these are an IPv4 address, which decides: behind DNS64 every public host
 * has such an address.
 */
const CARRIES_V4 =
  /^(?:::ffff:|64:ff9b::)(?:(\d+\.\d+\.\d+\.\d+)|([0-9a-f]{1,4}):([0-9a-f]{1,4}))$/;

const reserved = new BlockList();
for (const range of RESERVED_V4) add(range, 'ipv4');
for (const range of RESERVED_V6) add(range, 'ipv6');
const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

function add(range: string, family: 'ipv4' | 'ipv6'): void {
  const [net = '', bits] = range.split('/');
  reserved.addSubnet(net, Number(bits), family);
}

/** Whether an IP address is not one of the public internet. */
export function isPrivateAddress(address: string): boolean {
  const bare = address.replace(/%.*$/, '').toLowerCase();
  const v4 = carriedV4(bare);
  if (v4 !== undefined) return reserved.check(v4, 'ipv4');
  return reserved.check(bare, isIP(bare) === 6 ? 'ipv6' : 'ipv4');
}

function carriedV4(address: string): string | undefined {
  const [, dotted, high, low] = CARRIES_V4.exec(address) ?? [];
  if (dotted !== undefined) return dotted;
  if (high === undefined || low === undefined) return undefined;
  const bytes = [high, low].flatMap((pair) => [parseInt(pair, 16) >> 8, parseInt(pair, 16) & 0xff]);
  return bytes.join('.');
}

/** The host of a URL when it is written as an address, without the brackets of IPv6. */
function addressIn({ hostname }: URL): string | undefined {
  const bare = hostname.replace(/^\[|\]$/g, '');
  return isIP(bare) === 0 ? undefined : bare;
}

function isLocalhost({ hostname }: URL): boolean {
  return /^(.*\.)?localhost\.?$/.test(hostname);
}

/** How the network is seen: what a name resolves to, and which addresses are private. */
export interface Network {
  readonly resolve: LookupFunction;
  readonly isPrivate: (address: string) => boolean;
}

/** As it is. */
export const REAL_NETWORK: Network = { resolve: lookupName, isPrivate: isPrivateAddress };

/** Whether a URL names a private address itself, so that whoever wrote it meant it. */
export function namesPrivateHost(url: URL, { isPrivate }: Pick<Network, 'isPrivate'>): boolean {
  const address = addressIn(url);
  return isLocalhost(url) || (address !== undefined && isPrivate(address));
}

/** Whether requests to the URL do not leave this machine. */
export function isLoopback(url: URL): boolean {
  const address = addressIn(url);
  return (
    isLocalhost(url) ||
    (address !== undefined && loopback.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4'))
  );
}

/**
 * Resolves names for connections to the public internet: a name of which any address is private is
 * `SRC_UNSAFE_ADDRESS`.
 */
export function publicLookup({ resolve, isPrivate }: Network): LookupFunction {
  return (name, options, done) => {
    resolve(name, options, (error, found, family) => {
      const addresses =
        typeof found === 'string'
          ? [found]
          : (found as LookupAddress[] | undefined)?.map(({ address }) => address);
      const unsafe = error === null ? addresses?.find(isPrivate) : undefined;
      if (unsafe === undefined) done(error, found, family);
      else done(refusedAddress(name, unsafe), found, family);
    });
  };
}

function refusedAddress(name: string, address: string): PipelineError {
  return new PipelineError(
    'SRC_UNSAFE_ADDRESS',
    `${name} resolves to ${address}, which is not an address of the internet`,
    {
      context: { host: name, address },
    },
  );
}
