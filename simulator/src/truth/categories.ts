/** What a category of goods is really like; only name and department are visible in the data. */
export interface CategoryTruth {
  name: string;
  department: string;
  nouns: readonly string[];
  /** Bought again and again. */
  consumable: boolean;
  /** Usual range of list prices, EUR. */
  prices: readonly [low: number, high: number];
  /** Mean own-price elasticity of demand, d ln q / d ln p. */
  elasticity: number;
  /** Share of the assortment and of the average customer's interest, relative. */
  weight: number;
}

export const CATEGORIES: readonly CategoryTruth[] = [
  {
    name: 'Coffee',
    department: 'Pantry',
    nouns: ['Espresso', 'Filter Roast', 'Decaf', 'Cold Brew'],
    consumable: true,
    prices: [6, 28],
    elasticity: -2.2,
    weight: 14,
  },
  {
    name: 'Tea',
    department: 'Pantry',
    nouns: ['Green Tea', 'Black Tea', 'Rooibos', 'Herbal Blend'],
    consumable: true,
    prices: [3, 18],
    elasticity: -1.8,
    weight: 9,
  },
  {
    name: 'Snacks',
    department: 'Pantry',
    nouns: ['Crackers', 'Nut Mix', 'Chocolate', 'Dried Fruit'],
    consumable: true,
    prices: [2, 14],
    elasticity: -2.6,
    weight: 12,
  },
  {
    name: 'Cleaning',
    department: 'Household',
    nouns: ['Detergent', 'Soap', 'Glass Cleaner', 'Dishwasher Tabs'],
    consumable: true,
    prices: [3, 24],
    elasticity: -1.5,
    weight: 9,
  },
  {
    name: 'Paper',
    department: 'Household',
    nouns: ['Copy Paper', 'Notebook', 'Paper Towels', 'Envelopes'],
    consumable: true,
    prices: [3, 36],
    elasticity: -1.9,
    weight: 8,
  },
  {
    name: 'Cookware',
    department: 'Kitchen',
    nouns: ['Pan', 'Stock Pot', 'Knife', 'Baking Tin'],
    consumable: false,
    prices: [14, 160],
    elasticity: -1.6,
    weight: 9,
  },
  {
    name: 'Appliances',
    department: 'Kitchen',
    nouns: ['Grinder', 'Kettle', 'Toaster', 'Coffee Machine'],
    consumable: false,
    prices: [28, 480],
    elasticity: -2.8,
    weight: 7,
  },
  {
    name: 'Tableware',
    department: 'Kitchen',
    nouns: ['Mug', 'Plate Set', 'Carafe', 'Cutlery'],
    consumable: false,
    prices: [7, 110],
    elasticity: -1.4,
    weight: 8,
  },
  {
    name: 'Furniture',
    department: 'Home',
    nouns: ['Desk', 'Chair', 'Shelf', 'Side Table'],
    consumable: false,
    prices: [55, 780],
    elasticity: -2.0,
    weight: 6,
  },
  {
    name: 'Lighting',
    department: 'Home',
    nouns: ['Desk Lamp', 'Pendant', 'Bulb Set', 'Floor Lamp'],
    consumable: false,
    prices: [11, 220],
    elasticity: -1.7,
    weight: 6,
  },
  {
    name: 'Textiles',
    department: 'Home',
    nouns: ['Cushion', 'Blanket', 'Towel', 'Rug'],
    consumable: false,
    prices: [9, 130],
    elasticity: -2.4,
    weight: 7,
  },
  {
    name: 'Plants',
    department: 'Home',
    nouns: ['Fern', 'Monstera', 'Planter', 'Herb Kit'],
    consumable: false,
    prices: [5, 90],
    elasticity: -2.1,
    weight: 5,
  },
];
