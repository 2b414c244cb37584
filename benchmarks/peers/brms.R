# What brms says of the studies in a JSON file, and how long it takes: Rscript brms.R sets.json
# Compilation is timed by itself.

suppressPackageStartupMessages({
  library(brms)
  library(posterior)
  library(jsonlite)
})

# Debian keeps Boost where the compiler looks for it anyway, and its BH is empty.
if (!nzchar(system.file("include", package = "BH"))) rstan::rstan_options(boost_lib = "/usr/include")

sets <- fromJSON(commandArgs(trailingOnly = TRUE)[1])
DRAWS <- 5000 # of each of four chains, after a warm-up of 1000
USUAL <- 2000 # iterations of a chain that brms takes of itself, half of them warm-up

priors_of <- function(set) {
  c(
    set_prior(sprintf("normal(%s, %s)", set$mu[1], set$mu[2]), class = "Intercept"),
    set_prior(sprintf("normal(0, %s)", set$tau), class = "sd")
  )
}

# Processor seconds, those of the compiler included.
processor <- function(work) sum(system.time(work)[c("user.self", "sys.self", "user.child", "sys.child")])

numbers <- function(fit) {
  draws <- as_draws_df(fit)
  set.seed(1)
  values <- list(mu = draws$b_Intercept, tau = draws$sd_study__Intercept)
  values$theta_new <- rnorm(length(values$mu), values$mu, values$tau)
  lapply(values, function(x) {
    list(mean = mean(x), sd = sd(x), median = median(x), low = quantile(x, 0.025)[[1]], high = quantile(x, 0.975)[[1]])
  })
}

found <- list()
for (kind in c("normals", "shares")) {
  for (name in names(sets[[kind]])) {
    set <- sets[[kind]][[name]]
    data <- as.data.frame(set[if (kind == "normals") c("y", "se") else c("events", "n")])
    data$study <- seq_len(nrow(data))
    formula <- if (kind == "normals") bf(y | se(se) ~ 1 + (1 | study)) else bf(events | trials(n) ~ 1 + (1 | study))
    family <- if (kind == "normals") gaussian() else binomial()
    compiling <- processor(
      empty <- brm(formula, data, family, prior = priors_of(set), chains = 0, silent = 2, refresh = 0)
    )
    sample <- function(iter, warmup, seed) {
      update(empty, chains = 4, iter = iter, warmup = warmup, seed = seed, cores = 1, refresh = 0, silent = 2,
             recompile = FALSE, control = list(adapt_delta = 0.99))
    }
    usual <- processor(short <- sample(USUAL, USUAL / 2, 2))
    fit <- sample(DRAWS + 1000, 1000, 1)
    found[[name]] <- c(numbers(fit), list(
      compile = compiling, seconds = usual,
      ess = ess_bulk(extract_variable_matrix(as_draws_array(short), "b_Intercept"))
    ))
  }
}
versions <- list(brms = as.character(packageVersion("brms")), rstan = as.character(packageVersion("rstan")))
cat(toJSON(list(versions = versions, found = found), auto_unbox = TRUE, digits = 12), "\n")
