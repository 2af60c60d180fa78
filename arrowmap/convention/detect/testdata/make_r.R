# Writes rhdf5.h5, hdf5r.h5, hdf5array.h5 and tenx_r.h5 into the folder that is named; gzip -n9 them. R 4.2.2, rhdf5 2.42.0, hdf5r 1.3.8,
# HDF5Array 1.26.0 (Debian 12: r-bioc-rhdf5, r-cran-hdf5r, r-bioc-hdf5array):
#   Rscript make_r.R FOLDER
suppressMessages({library(rhdf5); library(HDF5Array); library(Matrix)})
setwd(commandArgs(TRUE)[1])
unlink(c("rhdf5.h5", "hdf5r.h5", "hdf5array.h5", "tenx_r.h5"))

# Vectors of several lengths in the root, a data frame, a list of equal and one of unequal vectors, matrices with NA.
out <- "rhdf5.h5"
h5createFile(out)
df <- data.frame(i = c(1L, NA, 3L, 4L), d = c(1.5, NA, NaN, Inf), l = c(TRUE, NA, FALSE, TRUE), s = c("a", NA, "", "h\u00e9"),
                 f = factor(c("lo", NA, "hi", "lo")), stringsAsFactors = FALSE)
h5write(df, out, "frame", DataFrameAsCompound = FALSE)
h5write(c(1L, NA, 3L), out, "int")
h5write(c(TRUE, NA), out, "lgl")
h5write(c("NA", "b"), out, "letters")
h5write(as.raw(1:5), out, "raw")
h5write(list(x = 1:2, y = c("p", NA), 3:4), out, "list")
h5write(list(x = 1:2, y = c(NA, 0.5, NaN)), out, "uneven")
h5write(list(d = matrix(c(1, NA, NaN, 4, 5, 6), 2, 3), s = matrix(c("x", NA, "zz", NA, "", "w"), 2, 3),
             l = matrix(c(TRUE, NA, FALSE, FALSE, TRUE, TRUE), 2, 3)), out, "matrices")
invisible(h5createDataset(out, "vtext", dims = 2, storage.mode = "character", size = NULL))
h5write(c(NA, "x"), out, "vtext")
h5write(integer(0), out, "none")
h5closeAll()

# Dimension names are in groups beside the matrices, attached as scales. In /more lengths differ.
out <- "hdf5array.h5"
names3 <- list(c("r1", "r2"), c("a", "b", "c"))
put <- function(m, name) invisible(try(writeHDF5Array(m, out, name, with.dimnames = TRUE), silent = TRUE))
put(matrix(c(1.5, NA, NaN, 4, 5, 6), 2, 3, dimnames = names3), "d")
put(matrix(c(1L, NA, 3L, 4L, 5L, 6L), 2, 3, dimnames = list(NULL, names3[[2]])), "i")
put(matrix(c(TRUE, NA, FALSE, TRUE, TRUE, FALSE), 2, 3, dimnames = names3), "l")
h5createGroup(out, "more")
put(matrix(c(1, NA), 1, 2, dimnames = list("r", c("a", "b"))), "more/two")
put(matrix(c(1, NA, 3), 1, 3), "more/three")
h5closeAll()

# The reading back at the end of writeTENxMatrix fails in this build; the matrices are complete by then.
m <- function(...) sparseMatrix(i = c(1, 3, 2), j = c(1, 1, 3), x = c(1, NA, 3), dims = c(3, 4), ...)
tenx <- function(m, name) invisible(try(writeTENxMatrix(m, "tenx_r.h5", name), silent = TRUE))
tenx(m(dimnames = list(paste0("g", 1:3), paste0("b", 1:4))), "named")
tenx(m(), "bare")
tenx(m(dimnames = list(paste0("g", 1:3), NULL)), "rows")
h5closeAll()

# Logicals and factors are enumerations.
suppressMessages(library(hdf5r))
h <- H5File$new("hdf5r.h5", "w")
g <- h$create_group("g")
fac <- function(n) { l <- sprintf("L%d", 1:n); factor(c("L1", NA, l[n], "L1"), levels = l) }
suppressWarnings({
  g[["l"]] <- c(TRUE, NA, FALSE, TRUE); g[["l2"]] <- c(TRUE, FALSE, FALSE, TRUE); g[["f1"]] <- fac(1); g[["f3"]] <- fac(3)
  g[["f4"]] <- fac(4); g[["f130"]] <- fac(130); g[["f256"]] <- fac(256)
  g[["m"]] <- matrix(c(TRUE, NA, FALSE, FALSE, TRUE, TRUE, NA, NA), 2, 4)
  h[["df"]] <- data.frame(i = c(1L, NA, 3L), l = c(TRUE, NA, FALSE), f = factor(c("lo", NA, "hi")))
})
h$close_all()
