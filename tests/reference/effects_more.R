# Effect sizes and back-transforms of metafor on data sets other than those of metafor.json.
# Rscript tests/reference/effects_more.R > tests/reference/effects_more.json
# Made with R 4.2.2, metafor 3.8-1, metadat 1.2-0, jsonlite.

suppressPackageStartupMessages({
  library(metafor)
  library(metadat)
  library(jsonlite)
})

cases <- list()

# The arguments of escalc for each of our columns, by family.
families <- list(
  arms = c(ai = "events_1", n1i = "n_1", ci = "events_2", n2i = "n_2"),
  rates = c(x1i = "events_1", t1i = "time_1", x2i = "events_2", t2i = "time_2"),
  means = c(m1i = "mean_1", sd1i = "sd_1", n1i = "n_1", m2i = "mean_2", sd2i = "sd_2", n2i = "n_2"),
  change = c(m1i = "mean_pre", m2i = "mean_post", sd1i = "sd_pre", sd2i = "sd_post", ni = "n", ri = "r"),
  one = c(xi = "events", ni = "n")
)

add <- function(set, family, columns, measure, ...) {
  columns <- as.data.frame(columns)
  columns <- columns[complete.cases(columns), ]
  names(columns) <- families[[family]]
  arguments <- setNames(as.list(columns), names(families[[family]]))
  found <- suppressWarnings(do.call(escalc, c(list(measure = measure), arguments, list(...))))
  stopifnot(!anyNA(found$yi), !anyNA(found$vi))
  options <- list(...)
  name <- paste(c(set, measure, unlist(options)), collapse = ":")
  cases[[name]] <<- list(
    measure = unbox(measure),
    options = if (length(options)) lapply(options, unbox) else setNames(list(), character(0)),
    raw = as.list(columns), y = as.numeric(found$yi), v = as.numeric(found$vi)
  )
}

bleeding <- dat.collins1985a[c("d.xti", "nti", "d.xci", "nci")]
oedema <- dat.collins1985b[c("pre.xti", "pre.nti", "pre.xci", "pre.nci")]
wort <- dat.linde2005[c("ai", "n1i", "ci", "n2i")]
magnesium <- dat.li2007[c("ai", "n1i", "ci", "n2i")]
chloroquine <- dat.axfors2021[c("hcq_arm_event", "hcq_arm_total", "control_arm_event", "control_arm_total")]
cholera <- dat.hahn2001[c("ai", "n1i", "ci", "n2i")]
empty <- data.frame(a = c(0, 3, 0, 10, 9, 0, 2), n = c(10, 12, 15, 10, 9, 8, 30),
                    c = c(2, 0, 0, 12, 5, 8, 1), m = c(11, 9, 14, 12, 9, 8, 31))
arms <- list(collins1985a = bleeding, collins1985b = oedema, linde2005 = wort, li2007 = magnesium,
             axfors2021 = chloroquine, hahn2001 = cholera, empty = empty)
for (set in names(arms))
  for (measure in c("OR", "RR", "RD", "AS", "PETO")) add(set, "arms", arms[[set]], measure)
for (to in c("all", "if0all"))
  for (measure in c("OR", "RR", "RD", "PETO")) add("empty", "arms", empty, measure, to = to)
for (set in c("empty", "linde2005")) add(set, "arms", arms[[set]], "RD", vtype = "UB")
add("empty", "arms", empty, "OR", add = 0.1)
add("lee2004", "one", dat.lee2004[c("ai", "n1i")], "PR", vtype = "UB")

person_years <- dat.hart1999[c("x1i", "t1i", "x2i", "t2i")]
quiet <- data.frame(x = c(0, 3, 0, 5), t = c(10, 20, 30, 14), y = c(2, 0, 0, 4), s = c(11, 25, 31, 15))
for (measure in c("IRR", "IRD", "IRSD")) {
  add("hart1999", "rates", person_years, measure)
  add("quiet", "rates", quiet, measure)
}
for (measure in c("IRR", "IRD")) add("quiet", "rates", quiet, measure, to = "all")

plants <- dat.curtis1998[1:30, c("m1i", "sd1i", "n1i", "m2i", "sd2i", "n2i")]
asthma <- dat.gibson2002[c("m1i", "sd1i", "n1i", "m2i", "sd2i", "n2i")]
# In thousands of patients J of metafor loses digits (a difference of two large lgamma), UB most.
few_and_many <- data.frame(m = c(3, 2.5, 1e-3), s = c(1, 2, 4e-4), n = c(2, 3, 250),
                           o = c(1, 2.4, 1.1e-3), t = c(1.5, 0.5, 5e-4), k = c(2, 90, 190))
for (set in c("plants", "asthma", "few_and_many")) {
  columns <- get(set)
  for (measure in c("MD", "SMD", "SMDH", "ROM")) add(set, "means", columns, measure)
  for (vtype in c("UB", "LS2", "AV")) add(set, "means", columns, "SMD", vtype = vtype)
  for (measure in c("MD", "ROM")) add(set, "means", columns, measure, vtype = "HO")
}

change <- data.frame(
  before = c(8.73, 7.1, 6.4, 8.0, 62.1, 54.2, 1.9, 7.77),
  after = c(1.73, 3.2, 6.9, 2.05, 31.9, 22.4, 2.2, 3.1),
  sd_before = c(1.12, 1.9, 2.2, 0.8, 14.2, 9.9, 0.4, 1.5),
  sd_after = c(1.39, 2.1, 1.1, 1.9, 12.7, 15.3, 0.5, 1.2),
  n = c(22, 65, 3, 11, 120, 34, 8, 4000), r = c(-0.2034, 0.5, 0, 0.9, 0.33, -1, 1, 0.61)
)
for (measure in c("MC", "SMCC", "SMCR", "SMCRH", "ROMC")) add("change", "change", change, measure)
for (measure in c("SMCC", "SMCR")) add("change", "change", change, measure, vtype = "LS2")

y <- c(-0.1, 0.02, 0.3, 0.7, 1.2, 1.55, 1.9)
n <- c(10, 22, 5, 400, 35, 8, 12)
transformed <- list(
  y = y, n = n, PFT = transf.ipft(y, n), PAS = transf.iarcsin(y), PLO = transf.ilogit(y),
  IRS = transf.isqrt(y), PLN = exp(y)
)
mu <- c(-2.2, 0, 1.3, -5)
tau2 <- c(0.1, 2, 0.5, 1.5)
# metafor integrates from -5 to 5 SD by default and so loses digits.
nine <- function(m, t) list(tau2 = t, lower = m - 9 * sqrt(t), upper = m + 9 * sqrt(t))
wide <- function(f) mapply(function(m, t) f(m, targs = nine(m, t)), mu, tau2)
integrated <- list(mu = mu, tau2 = tau2, PLO = wide(transf.ilogit.int), OR = wide(transf.exp.int))

out <- list(effect_sizes = cases, transformed = transformed, integrated = integrated)
cat(toJSON(out, digits = I(17)), "\n", sep = "")
