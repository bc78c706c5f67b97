import type { JSX } from 'preact';
import type { RegionDay } from '../metrics-model.ts';
import { REGIONS } from '../regions.ts';

/**
 * A tile map: one tile of one size per region, near to where it lies. Areas would make the large
 * regions look important, and outlines are somebody's geometry. The shade tells the value, the tile
 * names region and value, and the table below has every figure.
 */

const TILE = 112;
const GAP = 6;
const COLUMNS = 4;
const ROWS = 5;
/** Shades from the least to the largest value. */
const SHADES = 5;

/** One figure by region. */
export interface MapProps {
  readonly title: string;
  readonly regions: readonly RegionDay[];
  readonly valueOf: (region: RegionDay) => number | null;
  /** What the tile shows of a value; null has a text too. */
  readonly textOf: (value: number | null) => string;
  /** Everything that a pointer over the tile tells. */
  readonly describe: (region: RegionDay) => string;
  /** Values on both sides of zero have two colours, and none at zero. */
  readonly isSigned?: boolean;
}

/**
 * Shades are relative to the largest absolute value of the day; regions without a place are left
 * out.
 */
export function TileMap({
  title,
  regions,
  valueOf,
  textOf,
  describe,
  isSigned = false,
}: MapProps): JSX.Element {
  const values = regions.flatMap((region) => valueOf(region) ?? []);
  const largest = Math.max(0, ...values.map(Math.abs));
  const drawn = REGIONS.flatMap(({ code, short, tile }) => {
    const region = regions.find((one) => one.code === code);
    return region === undefined ? [] : [{ region, short, tile }];
  });
  const words = drawn.map(({ region }) => `${region.name} ${textOf(valueOf(region))}`).join(', ');
  return (
    <figure class="tiles">
      <figcaption>{title}</figcaption>
      <svg
        viewBox={`0 0 ${COLUMNS * (TILE + GAP)} ${ROWS * (TILE + GAP)}`}
        role="img"
        aria-label={`${title} : ${words}`}
      >
        {drawn.map(({ region, short, tile }) => {
          const value = valueOf(region);
          return (
            <g
              key={region.code}
              transform={`translate(${tile.x * (TILE + GAP)} ${tile.y * (TILE + GAP)})`}
            >
              <title>{describe(region)}</title>
              <rect width={TILE} height={TILE} rx="6" class={shadeOf(value, largest, isSigned)} />
              <text x={TILE / 2} y="46" class={`name ${inkOf(value, largest)}`}>
                {short}
              </text>
              <text x={TILE / 2} y="74" class={`value ${inkOf(value, largest)}`}>
                {textOf(value)}
              </text>
            </g>
          );
        })}
      </svg>
    </figure>
  );
}

function levelOf(value: number | null, largest: number): number | null {
  if (value === null) return null;
  return largest === 0 ? 0 : Math.min(SHADES - 1, Math.floor((Math.abs(value) / largest) * SHADES));
}

function shadeOf(value: number | null, largest: number, isSigned: boolean): string {
  const level = levelOf(value, largest);
  if (value === null || level === null) return 'tile none';
  return `tile ${isSigned && value < 0 ? 'b' : 'a'}${level}`;
}

/** Dark shades have light letters. */
function inkOf(value: number | null, largest: number): string {
  return (levelOf(value, largest) ?? 0) >= 3 ? 'light' : 'dark';
}
