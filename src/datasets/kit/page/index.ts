/**
 * `quotidien/kit/page`: what pages of reports share: numbers and dates as a French reader expects
 * them, tones, the frame's style and tables. Apart from the rest of the kit, because it loads a
 * drawing library that only pages need.
 */
export * from './day-links.tsx';
export * from './document.tsx';
export * from './french.ts';
export * from './heat-map.tsx';
export * from './marks.tsx';
export * from './plot.tsx';
export * from './style.ts';
export * from './tables.tsx';
export * from './tones.ts';
