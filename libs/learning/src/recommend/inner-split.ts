import type { MatrixProduct } from '../linear-algebra/matrix-product.js';
import type { IndexedCustomer, SplitCustomer } from './interactions.js';

/** What candidates are compared on: fitted on `past`, judged by what `judged` met afterwards. */
export interface InnerSplit {
  itemCount: number;
  past: IndexedCustomer[];
  judged: SplitCustomer[];
  /** Whether known items are left out: true, and also false where customers come back to them. */
  exclusions: boolean[];
  product: MatrixProduct;
}
