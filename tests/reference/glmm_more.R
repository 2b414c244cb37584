# Random-effects models of counts by metafor's rma.glmm, for data sets of metadat and for tables made here.
# Run: Rscript glmm_more.R > glmm_more.json   (made with R 4.2.2, metafor 3.8-1, metadat 1.2-0, lme4 1.1-31)
suppressMessages({library(metafor); library(metadat); library(jsonlite)})
fit <- function(...) {
  res <- suppressWarnings(do.call(rma.glmm, list(...)))
  list(mu = c(res$beta), se = res$se, tau2 = res$tau2, ci_low = res$ci.lb, ci_high = res$ci.ub,
       q = res$QE.LRT, q_p = res$QEp.LRT, k = res$k)
}
cases <- list()
add <- function(name, kind, raw, likelihood, ...) {
  cases[[name]] <<- list(kind = kind, raw = raw, model = likelihood, fit = fit(...))
}
proportion <- function(name, x, n)
  add(name, "proportion", list(events = x, n = n), "UM.FS", measure = "PLO", xi = x, ni = n, nAGQ = 25)
rate <- function(name, x, t)
  add(name, "rate", list(events = x, time = t), "UM.FS", measure = "IRLN", xi = x, ti = t, nAGQ = 25)
or <- function(name, x1, n1, x2, n2) {
  raw <- list(events_1 = x1, n_1 = n1, events_2 = x2, n_2 = n2)
  add(paste0(name, ":CM.EL"), "or", raw, "CM.EL", measure = "OR", ai = x1, n1i = n1, ci = x2, n2i = n2,
      model = "CM.EL", control = list(dnchgcalc = "dnoncenhypergeom"))
  add(paste0(name, ":UM.FS"), "or", raw, "UM.FS", measure = "OR", ai = x1, n1i = n1, ci = x2, n2i = n2,
      model = "UM.FS", nAGQ = 25)
}
d <- dat.debruin2009; proportion("debruin2009", d$xi, d$ni)
d <- dat.nielweise2007; proportion("nielweise2007:treated", d$ai, d$n1i); proportion("nielweise2007:control", d$ci, d$n2i)
or("nielweise2007", d$ai, d$n1i, d$ci, d$n2i)
d <- dat.nielweise2008; rate("nielweise2008:1", d$x1i, d$t1i); rate("nielweise2008:2", d$x2i, d$t2i)
d <- dat.hart1999; rate("hart1999:1", d$x1i, d$t1i)
d <- dat.collins1985b; or("collins1985b", d$pre.xti, d$pre.nti, d$pre.xci, d$pre.nci)
d <- dat.egger2001[-16, ]; or("egger2001", d$ai, d$n1i, d$ci, d$n2i)
cat(toJSON(cases, auto_unbox = TRUE, digits = 15, pretty = FALSE))
