# Times works in R for benchmarks/r_worker.py, one question a line on standard input, one answer a line.
# {"version": "metafor"} asks for a package's version; {"work": "rma", "given": {...}} times a call of a work.

suppressWarnings(suppressPackageStartupMessages(library(jsonlite)))

answer <- function(...) {
  cat("answer ", toJSON(list(...), auto_unbox = TRUE, digits = 12, null = "null"), "\n", sep = "")
  flush(stdout())
}

# Processor seconds of one call: the least of five rounds, each long enough for R's clock.
seconds <- function(work) {
  once <- function(times) sum(system.time(for (i in seq_len(times)) work())[c("user.self", "sys.self")]) / times
  times <- max(1, ceiling(0.1 / max(once(1), 1e-4)))
  min(replicate(5, once(times)))
}

effective <- function(fit, names) {
  draws <- posterior::as_draws_array(fit)
  min(sapply(names, function(name) posterior::ess_bulk(posterior::extract_variable_matrix(draws, name))))
}

works <- list(
  rma = function(given) function() metafor::rma(given$y, sei = given$se, method = "REML", test = "knha"),
  rma_glmm = function(given) function() metafor::rma.glmm(measure = "PLO", xi = given$events, ni = given$n),
  rma_glmm_or = function(given) {
    function() {
      metafor::rma.glmm(measure = "OR", model = "CM.EL", ai = given$events_1, n1i = given$n_1,
                        ci = given$events_2, n2i = given$n_2)
    }
  },
  bayesmeta = function(given) {
    function() {
      fit <- bayesmeta::bayesmeta(
        given$y, given$se, mu.prior = c(mean = given$mu[1], sd = given$mu[2]),
        tau.prior = function(t) bayesmeta::dhalfnormal(t, scale = given$tau), interval.type = "central"
      )
      list(fit$summary, fit$theta)
    }
  }
)

# brms is compiled once; each question draws anew, as it does of itself, and says how many draws that is worth.
compiled <- NULL
brms_draws <- function(given) {
  if (is.null(compiled)) {
    suppressPackageStartupMessages(library(brms))
    # Debian keeps Boost where the compiler looks for it anyway, and its BH is empty.
    if (!nzchar(system.file("include", package = "BH"))) rstan::rstan_options(boost_lib = "/usr/include")
    data <- data.frame(events = given$events, n = given$n, study = seq_along(given$n))
    priors <- c(
      set_prior(sprintf("normal(%s, %s)", given$mu[1], given$mu[2]), class = "Intercept"),
      set_prior(sprintf("normal(0, %s)", given$tau), class = "sd")
    )
    capture.output(compiled <<- brm(events | trials(n) ~ 1 + (1 | study), data, binomial(), prior = priors,
                                    chains = 0, silent = 2, refresh = 0))
  }
  capture.output(taken <- sum(system.time(
    fit <- suppressWarnings(update(compiled, chains = 4, seed = given$seed, cores = 1, refresh = 0, silent = 2,
                                   recompile = FALSE))
  )[c("user.self", "sys.self")]))
  list(seconds = taken, effective = effective(fit, c("b_Intercept", "sd_study__Intercept")))
}

input <- file("stdin", "r")
while (length(line <- readLines(input, 1)) == 1) {
  asked <- fromJSON(line)
  tryCatch(
    if (!is.null(asked$version)) {
      here <- suppressWarnings(requireNamespace(asked$version, quietly = TRUE))
      answer(version = if (here) as.character(packageVersion(asked$version)) else NULL)
    } else if (asked$work == "brms") {
      do.call(answer, brms_draws(asked$given))
    } else {
      answer(seconds = seconds(works[[asked$work]](asked$given)))
    },
    error = function(problem) answer(problem = conditionMessage(problem))
  )
}
