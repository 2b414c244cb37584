# Writes intervals_more.json: intervals, influence and count pooling on data sets that metafor.json has not.
# Made with R 4.2.2, metafor 3.8-1, metadat 1.2-0. Run: Rscript tests/reference/intervals_more.R
suppressMessages(library(metafor))
library(jsonlite)
pdf(NULL) # baujat() draws

sharp <- list(tol = 1e-13, tau2.max = 1e6)
fit <- function(y, v, method, test) {
  control <- list(threshold = 1e-13, maxiter = 10000, tol = 1e-13)
  if (method %in% c("REML", "ML")) control$stepadj <- 0.5
  rma(y, v, method = method, test = test, control = control)
}
ends <- function(confint) {
  both <- confint$random[c("tau^2", "I^2(%)", "H^2"), c("ci.lb", "ci.ub")]
  list(tau2 = unname(both[1, ]), i2 = unname(both[2, ]), h2 = unname(both[3, ]))
}
columns <- function(x, names) lapply(setNames(names, names), function(name) as.numeric(unclass(x)[[name]]))

of_effects <- function(y, v) {
  y <- as.numeric(y)
  v <- as.numeric(v)
  reml <- fit(y, v, "REML", "z")
  reach <- qt(0.975, length(y) - 2) * sqrt(reml$tau2 + reml$se^2)
  hc <- hc(fit(y, v, "DL", "z"), control = sharp)
  result <- list(
    y = y, v = v,
    qprofile = ends(confint(reml, type = "QP", control = sharp)),
    profile_likelihood_reml = ends(confint(reml, type = "PL", control = sharp)),
    profile_likelihood_ml = ends(confint(fit(y, v, "ML", "z"), type = "PL", control = sharp)),
    riley = c(reml$beta - reach, reml$beta + reach),
    henmi_copas = list(mu = c(hc$beta), se = hc$se, ci_low = hc$ci.lb, ci_high = hc$ci.ub, tau2 = hc$tau2)
  )
  for (name in c("FE/t", "DL/adhoc", "REML/z", "REML/knha")) {
    method <- sub("/.*", "", name)
    one <- fit(y, v, method, sub(".*/", "", name))
    of <- influence(one)
    entry <- columns(of$inf, c("rstudent", "dffits", "cook.d", "cov.r", "tau2.del", "QE.del", "hat", "weight"))
    entry$dfbetas <- of$dfbs[[1]]
    entry$left_out <- columns(leave1out(one), c("estimate", "se", "pval", "ci.lb", "ci.ub", "I2", "H2"))
    if (method != "FE") entry$blup <- columns(blup(one), c("pred", "se", "pi.lb", "pi.ub"))
    result$fits[[name]] <- entry
  }
  for (method in c("FE", "REML")) {
    result$baujat[[method]] <- columns(baujat(fit(y, v, method, "z")), c("x", "y"))
  }
  result
}

numbers <- function(fit) {
  fields <- c("beta", "se", "zval", "pval", "ci.lb", "ci.ub", "QE", "QEp", "I2", "H2", "k", "MH", "MHp", "TA", "TAp")
  fields <- intersect(fields, names(fit))
  lapply(setNames(fields, fields), function(name) as.numeric(fit[[name]]))
}
of_counts <- function(a, n1, c, n2) {
  result <- list(events_1 = as.numeric(a), n_1 = as.numeric(n1), events_2 = as.numeric(c), n_2 = as.numeric(n2))
  for (measure in c("OR", "RR", "RD")) {
    result$fits[[measure]] <- numbers(rma.mh(measure = measure, ai = a, n1i = n1, ci = c, n2i = n2))
  }
  result$fits$PETO <- numbers(rma.peto(ai = a, n1i = n1, ci = c, n2i = n2))
  result
}
of_rates <- function(x1, t1, x2, t2) {
  result <- list(events_1 = as.numeric(x1), time_1 = as.numeric(t1), events_2 = as.numeric(x2), time_2 = as.numeric(t2))
  for (measure in c("IRR", "IRD")) {
    result$fits[[measure]] <- numbers(rma.mh(measure = measure, x1i = x1, t1i = t1, x2i = x2, t2i = t2))
  }
  result
}
of_sizes <- function(sizes) {
  complete <- !is.na(sizes$yi)
  of_effects(sizes$yi[complete], sizes$vi[complete])
}

effects <- suppressWarnings(list(
  lee2004 = of_sizes(escalc("OR", ai = ai, n1i = n1i, ci = ci, n2i = n2i, data = dat.lee2004)),
  collins1985b = of_sizes(
    escalc("OR", ai = pre.xti, n1i = pre.nti, ci = pre.xci, n2i = pre.nci, data = dat.collins1985b)
  ),
  curtis1998 = of_sizes(escalc(
    "ROM", m1i = m1i, sd1i = sd1i, n1i = n1i, m2i = m2i, sd2i = sd2i, n2i = n2i, data = dat.curtis1998[1:20, ]
  )),
  molloy2014 = of_sizes(escalc("ZCOR", ri = ri, ni = ni, data = dat.molloy2014)),
  hart1999 = of_sizes(escalc("IRR", x1i = x1i, t1i = t1i, x2i = x2i, t2i = t2i, data = dat.hart1999)),
  yusuf1985_rd = of_sizes(
    escalc("RD", ai = ai, n1i = n1i, ci = ci, n2i = n2i, data = subset(dat.yusuf1985, table == "9"))
  ),
  two = of_effects(c(-0.3, 0.8), c(0.05, 0.12)),
  three = of_effects(c(0.1, 0.2, 1.5), c(0.02, 0.3, 0.04))
))
sparse <- data.frame(
  a = c(0, 2, 0, 5, 3, 0, 10), n1 = c(20, 30, 15, 40, 25, 10, 10),
  c = c(3, 0, 0, 4, 1, 0, 12), n2 = c(22, 28, 15, 38, 30, 12, 12)
)
counts <- suppressWarnings(list(
  bcg = with(dat.bcg, of_counts(tpos, tpos + tneg, cpos, cpos + cneg)),
  lee2004 = with(dat.lee2004, of_counts(ai, n1i, ci, n2i)),
  li2007 = with(dat.li2007, of_counts(ai, n1i, ci, n2i)),
  nielweise2007 = with(dat.nielweise2007, of_counts(ai, n1i, ci, n2i)),
  hine1989 = with(dat.hine1989, of_counts(ai, n1i, ci, n2i)),
  yusuf1985_6 = with(subset(dat.yusuf1985, table == "6" & !is.na(ai)), of_counts(ai, n1i, ci, n2i)),
  collins1985a = with(subset(dat.collins1985a, !is.na(b.xti)), of_counts(b.xti, nti, b.xci, nci)),
  one = of_counts(4, 10, 2, 9),
  sparse = with(sparse, of_counts(a, n1, c, n2))
))
rates <- suppressWarnings(list(
  nielweise2008 = with(dat.nielweise2008, of_rates(x1i, t1i, x2i, t2i)),
  hart1999 = with(dat.hart1999, of_rates(x1i, t1i, x2i, t2i)),
  sparse = of_rates(c(0, 1, 0, 4), c(10, 22.5, 8, 31), c(2, 0, 0, 3), c(12, 20, 9, 25))
))

writeLines(
  toJSON(list(effects = effects, counts = counts, rates = rates), digits = I(17), auto_unbox = TRUE, na = "null"),
  "tests/reference/intervals_more.json"
)
