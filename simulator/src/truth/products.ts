import type { CompanyPlan } from '../company-plan.js';
import { AliasTable } from '../random/alias-table.js';
import { RandomStream } from '../random/random-stream.js';
import { CATEGORIES } from './categories.js';
import { drawStyle } from './style.js';

/** One article with what is visible of it and what is not (popularity, style, elasticity). */
export interface ProductTruth {
  id: string;
  title: string;
  category: number;
  listPriceMinor: number;
  costMinor: number;
  stock: number;
  /** Day of the period on which it can first be seen; 0 for most. */
  launchDay: number;
  /** Relative chance to be looked at among its category (Zipf over all products). */
  popularity: number;
  style: readonly number[];
  /** Own-price elasticity of the average customer. */
  elasticity: number;
}

export interface Assortment {
  products: readonly ProductTruth[];
  /** Indices of products by category, and how to draw one of them by popularity; null for a category without products. */
  byCategory: readonly ({ members: readonly number[]; draw: AliasTable } | null)[];
}

const ZIPF_EXPONENT = 0.9;
const LATE_SHARE = 0.1;
const ADJECTIVES = [
  'Classic',
  'Nordic',
  'Organic',
  'Urban',
  'Royal',
  'Pure',
  'Rustic',
  'Fine',
  'Bold',
  'Gentle',
  'Alpine',
  'Modern',
];

export function drawAssortment(plan: CompanyPlan): Assortment {
  const random = new RandomStream(`${plan.seed}/products`);
  const ranks = shuffledRanks(plan.products, random);
  const categories = new AliasTable(CATEGORIES.map((category) => category.weight));
  const products = ranks.map((rank, index) => {
    const first = index < CATEGORIES.length;
    const category = first ? index : categories.draw(random);
    const product = drawProduct({ index, category, rank, plan }, random);
    return first ? { ...product, launchDay: 0 } : product;
  });
  const byCategory = CATEGORIES.map((_, category) => {
    const members = products.flatMap((product, index) => (product.category === category ? [index] : []));
    if (members.length === 0) return null;
    return { members, draw: new AliasTable(members.map((index) => products[index]?.popularity ?? 0)) };
  });
  return { products, byCategory };
}

function drawProduct(
  { index, category, rank, plan }: { index: number; category: number; rank: number; plan: CompanyPlan },
  random: RandomStream,
): ProductTruth {
  const truth = CATEGORIES[category];
  if (!truth) throw new RangeError(`no category ${category}`);
  const [low, high] = truth.prices;
  const price = low * (high / low) ** random.next();
  const listPriceMinor = Math.max(99, Math.round(price) * 100 - (random.happens(0.7) ? 1 : 51));
  const late = random.happens(LATE_SHARE);
  const launch = random.below(plan.days);
  return {
    id: `P${String(index + 1).padStart(5, '0')}`,
    title: `${random.pick(ADJECTIVES)} ${random.pick(truth.nouns)} ${index + 1}`,
    category,
    listPriceMinor,
    costMinor: Math.round(listPriceMinor * random.between(0.4, 0.68)),
    stock: random.happens(0.04) ? 0 : 5 + random.poisson(random.logNormal(60, 0.9)),
    launchDay: late ? launch : 0,
    popularity: (rank + 1) ** -ZIPF_EXPONENT,
    style: drawStyle(random),
    elasticity: Math.min(-0.6, Math.max(-4.5, random.normal(truth.elasticity, 0.3))),
  };
}

/** A random order of 0..n-1 (Fisher and Yates). */
function shuffledRanks(n: number, random: RandomStream): number[] {
  const ranks = Array.from({ length: n }, (_, index) => index);
  for (let i = n - 1; i > 0; i--) {
    const j = random.below(i + 1);
    const held = ranks[i] ?? i;
    ranks[i] = ranks[j] ?? j;
    ranks[j] = held;
  }
  return ranks;
}
