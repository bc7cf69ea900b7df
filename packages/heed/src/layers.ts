// Layers, and what they are made of, in one namespace.

export { additiveAttention, coverageLoss } from '@heed/additive';
export { localAttention } from '@heed/local';
export { fromKeras, fromPyTorch, keyValueCache, multiHead } from '@heed/multi-head';
export { multiplicativeAttention } from '@heed/multiplicative';
export * from '@heed/nn';
export { attentionPooling, featurePooling, imageAttention, overlap, selfAttention } from '@heed/self';
