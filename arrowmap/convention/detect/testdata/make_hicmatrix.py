"""Writes a contact matrix by HiCMatrix, as HiCExplorer does.

    python make_hicmatrix.py hicmatrix.h5    # beside this file; compressed by gzip -9n

Run with hicmatrix 17.2 for hicmatrix.h5, and with hicmatrix 15 for hicmatrix_old.h5; PyTables 3.11.1.
"""
import os
import sys

import numpy as np
from hicmatrix import HiCMatrix
from scipy.sparse import csr_matrix

here = os.path.dirname(os.path.abspath(__file__))
m = HiCMatrix.hiCMatrix()
counts = csr_matrix(np.array([[3, 0, 1, 0], [0, 0, 0, 0], [1, 0, 2, 5], [0, 0, 5, 4]]))
m.setMatrix(counts, [("chr1", 0, 10, 1.0), ("chr1", 10, 20, 0.5), ("chrX", 0, 10, 1.0), ("chrX", 10, 17, 0.25)])
m.nan_bins = np.array([1])
m.correction_factors = np.array([0.5, np.nan, 2, 1.5])
m.save(os.path.join(here, sys.argv[1]))
