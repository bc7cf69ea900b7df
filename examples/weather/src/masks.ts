// Masks. All of them come after one more: a step that was held back is never a key.

export const maskKinds = {
  full: { label: 'full', about: 'Every observed step, before and after. Those held back are never read.' },
  causal: {
    label: 'causal',
    about: 'Only the past: every prediction is a forecast, inside a gap for up to the length of the gap.',
  },
  window: {
    label: 'window',
    about:
      'Only steps close by. Where all of them are held back, no key is allowed and nothing is predicted.',
  },
} as const;
export type MaskName = keyof typeof maskKinds;
