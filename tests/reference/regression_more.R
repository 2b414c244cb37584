# Writes regression_more.json: meta-regression and small-study tests on data sets that metafor.json has not.
# Made with R 4.2.2, metafor 3.8-1, metadat 1.2-0. Run: Rscript tests/reference/regression_more.R
suppressMessages(library(metafor))
library(jsonlite)

METHODS <- c("FE", "DL", "HE", "HS", "HSk", "SJ", "ML", "REML", "EB", "PM", "PMM")
control_of <- function(method) {
  control <- list(threshold = 1e-13, maxiter = 10000, tol = 1e-13)
  if (method %in% c("REML", "ML")) control$stepadj <- 0.5
  control
}
columns <- function(x, names) lapply(setNames(names, names), function(name) as.numeric(x[[name]]))

# Meta-regression. Years are centred here: metafor inverts X'WX, which costs it digits otherwise.
regression <- function(y, v, X) {
  y <- as.numeric(y)
  v <- as.numeric(v)
  X <- unname(as.matrix(X))
  new <- rbind(X[1, ], colMeans(X) + 1)
  result <- list(y = y, v = v, X = X, new = new)
  for (name in c(paste0(METHODS, "/z"), "FE/knha", "DL/t", "DL/knha", "DL/adhoc", "REML/knha", "REML/adhoc")) {
    method <- sub("/.*", "", name)
    test <- sub(".*/", "", name)
    fit <- suppressWarnings(rma(y, v, mods = X, method = method, test = test, control = control_of(method)))
    fields <- c("beta", "se", "zval", "pval", "ci.lb", "ci.ub", "tau2", "se.tau2", "QM", "QMp", "QE", "QEp", "R2", "I2", "H2")
    of <- columns(fit, fields)
    if (name == "DL/z") of$vb <- unname(fit$vb)
    if (name %in% c("DL/z", "REML/knha", "REML/adhoc")) {
      of$new <- columns(predict(fit, newmods = new), c("pred", "se", "ci.lb", "ci.ub", "pi.lb", "pi.ub"))
    }
    if (name == "DL/z") {
      of$qprofile <- unname(confint(fit, control = list(tol = 1e-13, tau2.max = 1e6))$random[1, 2:3])
    }
    result$fits[[name]] <- of
  }
  result
}

PREDICTORS <- c(se = "sei", variance = "vi", n = "ni", inverse_n = "ninv", sqrt_inverse_n = "sqrtninv")
small_study <- function(y, v, n) {
  y <- as.numeric(y)
  v <- as.numeric(v)
  result <- list(y = y, v = v, n = as.numeric(n))
  for (method in c("DL", "REML")) {
    fit <- rma(y, v, ni = n, method = method, control = control_of(method))
    for (predictor in names(PREDICTORS)) for (model in c("rma", "lm")) for (test in c("z", "knha")) {
      if (model == "lm" && (method == "DL" || test == "z")) next
      fit$test <- test
      of <- regtest(fit, model = model, predictor = PREDICTORS[[predictor]])
      name <- paste(model, predictor, method, test, sep = "/")
      result$egger[[name]] <- list(
        statistic = of$zval, p = of$pval, limit = if (is.null(of$est)) NULL else c(of$est, of$ci.lb, of$ci.ub)
      )
    }
    for (estimator in c("L0", "R0", "Q0")) for (side in c("left", "right", "found")) {
      fit <- rma(y, v, method = method, control = control_of(method))
      of <- try(trimfill(fit, side = if (side != "found") side, estimator = estimator), silent = TRUE)
      if (inherits(of, "try-error")) next
      # trimfill() fits with a loose threshold: fill and fit again, with its k0 and side.
      ascending <- order(if (of$side == "left") y else -y)
      kept <- ascending[seq_len(length(y) - of$k0)]
      center <- c(rma(y[kept], v[kept], method = method, control = control_of(method))$beta)
      filled <- rma(
        c(y, 2 * center - y[-kept]), c(v, v[-kept]),
        method = method, control = control_of(method)
      )
      result$trim_and_fill[[paste(estimator, side, method, sep = "/")]] <-
        list(k0 = of$k0, side = of$side, se_k0 = of$se.k0, mu = c(filled$beta), se = filled$se, tau2 = filled$tau2)
    }
  }
  rank <- ranktest(rma(y, v, method = "FE"))
  result$begg <- list(tau = unname(rank$tau), p = rank$pval)
  for (alternative in c("greater", "less", "two.sided")) for (steps in list(0.025, 0.5, c(0.05, 0.5), c(0.1, 0.3, 0.6))) {
    p <- switch(alternative, greater = pnorm(-y / sqrt(v)), less = pnorm(y / sqrt(v)), 2 * pnorm(-abs(y / sqrt(v))))
    if (any(table(cut(p, c(-1, steps, 2))) == 0)) next
    select <- function(tau2) {
      try(suppressWarnings(selmodel(
        rma(y, v, method = "ML", tau2 = tau2, control = control_of("ML")),
        type = "stepfun", alternative = alternative, steps = steps,
        control = list(optimizer = "optim", optmethod = "BFGS", reltol = 1e-15, maxit = 10000)
      )), silent = TRUE)
    }
    of <- select(NULL)
    at_zero <- select(0) # its search from the fit without selection can miss a higher maximum there
    if (inherits(of, "try-error") || inherits(at_zero, "try-error")) next
    result$selection[[paste(c(alternative, steps), collapse = "/")]] <- list(
      mu = c(of$beta), se = of$se, tau2 = of$tau2, se_tau2 = of$se.tau2,
      delta = of$delta, se_delta = of$se.delta, lrt = of$LRT, loglik = of$ll, loglik_at_zero = at_zero$ll
    )
  }
  result
}

from_counts <- function(measure, data) escalc(measure, ai = ai, n1i = n1i, ci = ci, n2i = n2i, data = data)
bcg <- escalc("RR", ai = tpos, bi = tneg, ci = cpos, di = cneg, data = dat.bcg)
cohen <- escalc("ZCOR", ri = ri, ni = ni, data = dat.cohen1981)
mcdaniel <- escalc("ZCOR", ri = ri, ni = ni, data = dat.mcdaniel1994)
mcdaniel <- mcdaniel[!is.na(mcdaniel$struct) & mcdaniel$type != "p", ]
bornmann <- escalc("OR", ai = waward, n1i = wtotal, ci = maward, n2i = mtotal, data = dat.bornmann2007)
ctrl <- from_counts("OR", dat.laopaiboon2015)
dorn <- escalc("RR", ai = x.a, n1i = n.a, ci = x.p, n2i = n.p, data = dat.dorn2007)
visited <- dorn[!is.na(dorn$visits), ]
molloy <- escalc("ZCOR", ri = ri, ni = ni, data = dat.molloy2014)
egger <- from_counts("OR", dat.egger2001)
li <- from_counts("OR", dat.li2007)
hine <- from_counts("RD", dat.hine1989)
anand <- from_counts("OR", dat.anand1999[complete.cases(dat.anand1999[c("ai", "n1i", "ci", "n2i")]), ])
linde <- from_counts("RR", dat.linde2005)
linde <- linde[!is.na(linde$yi), ]
dose <- escalc("OR", ai = xTi, n1i = nTi, ci = xCi, n2i = nCi, data = dat.viechtbauer2021)
dummies <- function(formula, data) model.matrix(formula, data)[, -1, drop = FALSE]

result <- list(
  regression = list(
    bcg = regression(bcg$yi, bcg$vi, dummies(~ ablat + I(year - 1960) + alloc, bcg)),
    three = regression(bcg$yi[1:3], bcg$vi[1:3], bcg$ablat[1:3]),
    raudenbush = regression(dat.raudenbush1985$yi, dat.raudenbush1985$vi, dummies(~ weeks * tester, dat.raudenbush1985)),
    bornmann = regression(bornmann$yi, bornmann$vi, dummies(~ I(year - 1990) + type + country, bornmann)),
    cohen = regression(cohen$yi, cohen$vi, dummies(~ sample, data.frame(sample = cohen$ni > 20))),
    mcdaniel = regression(mcdaniel$yi, mcdaniel$vi, dummies(~ type + struct, mcdaniel)),
    laopaiboon = regression(ctrl$yi, ctrl$vi, dummies(~ age + ctrl, ctrl)),
    dorn = regression(visited$yi, visited$vi, dummies(~ jadad + I(year - 1998) + visits, visited)),
    molloy = regression(molloy$yi, molloy$vi, dummies(~ controls + quality + meanage, molloy)),
    hine = regression(hine$yi, hine$vi, log(hine$n1i)),
    dose = regression(dose$yi, dose$vi, cbind(dose$dose, dose$dose^2) / c(1, 100))
  ),
  small_study = list(
    egger = small_study(egger$yi, egger$vi, egger$n1i + egger$n2i),
    egger_first_15 = small_study(egger$yi[1:15], egger$vi[1:15], (egger$n1i + egger$n2i)[1:15]),
    li = small_study(li$yi, li$vi, li$n1i + li$n2i),
    dorn = small_study(dorn$yi, dorn$vi, dorn$n.a + dorn$n.p),
    molloy = small_study(molloy$yi, molloy$vi, molloy$ni),
    hine = small_study(hine$yi, hine$vi, hine$n1i + hine$n2i),
    anand = small_study(anand$yi, anand$vi, anand$n1i + anand$n2i),
    linde = small_study(linde$yi, linde$vi, linde$n1i + linde$n2i),
    bcg = small_study(bcg$yi, bcg$vi, bcg$tpos + bcg$tneg + bcg$cpos + bcg$cneg),
    begg = small_study(dat.begg1989$yi, dat.begg1989$vi, round(0.25 / dat.begg1989$vi))
  )
)
writeLines(toJSON(result, digits = I(17), auto_unbox = TRUE, null = "null", na = "null"), "tests/reference/regression_more.json")
